"""Runs in MLflow: logged, compared, promoted, served, verified."""
