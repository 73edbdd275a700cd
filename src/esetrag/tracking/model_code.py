"""The script that MLflow runs when it loads a logged model; a copy of it is in the model."""

from esetrag.predict import pyfunc
from esetrag.tracking import store

store.set_model(pyfunc.load)
