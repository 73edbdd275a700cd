"""Rows of a table that are probably wrong."""
