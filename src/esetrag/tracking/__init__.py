"""Runs: logged in MLflow, compared, promoted, verified, spread over machines."""
