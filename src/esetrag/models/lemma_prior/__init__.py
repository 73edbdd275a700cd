"""The lemmas a form could come from, as a prior over its labels: a part that any classifier can have."""
