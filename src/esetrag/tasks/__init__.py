"""What a task of each kind does at each stage, and its baselines."""
