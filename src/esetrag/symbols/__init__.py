"""Forms as symbols: units, vocabulary, ids."""
