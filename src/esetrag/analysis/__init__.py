"""Which predictions are wrong, and what the model relies on."""
