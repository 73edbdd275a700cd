"""A trained reader asked for the values of words."""
