"""The script that MLflow runs when it loads a logged model; a copy of it is in the model."""

from esetrag import serving, store

store.set_model(serving.load)
