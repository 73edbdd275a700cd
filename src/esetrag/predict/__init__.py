"""A trained model applied to new words: files, pipes, HTTP."""
