"""Scores of predictions and how certain they are; stands on core alone."""
