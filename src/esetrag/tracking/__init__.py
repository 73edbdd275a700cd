"""Runs: logged in MLflow, compared, promoted, verified."""
