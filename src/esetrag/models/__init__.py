"""Networks that score the labels of a word, and their checkpoint."""
