"""Runs in MLflow: logged, compared, promoted, verified."""
