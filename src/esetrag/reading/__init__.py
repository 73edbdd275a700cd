"""Readers: what a form's symbols say of its labels, how sure that is, and the checkpoint."""
