"""Rows whose labels their endings, spelling or paradigms contradict."""
