"""Runs in MLflow's store: tracked, compared, promoted, served, verified."""
