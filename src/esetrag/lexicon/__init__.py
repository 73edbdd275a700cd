"""Paradigms expanded from a spelling dictionary: where the embedded tables come from."""
