"""What a reader gets right, beside baselines and ceiling, and what it goes by."""
