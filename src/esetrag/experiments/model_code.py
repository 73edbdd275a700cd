"""The script that MLflow runs when it loads a logged model; a copy of it is in the model."""

from esetrag.experiments import store
from esetrag.predicting import serving

store.set_model(serving.load)
