"""How well predictions agree with the truth, and how surely that is known."""
