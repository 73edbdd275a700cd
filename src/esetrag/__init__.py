"""esetrag reads a grammatical feature off an isolated word form."""

__version__ = "0.1.0"
