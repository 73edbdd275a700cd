"""Common tools on the same rows: scikit-learn on counts of suffixes, fastText on character n-grams."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

LONGEST = 8
Labels = npt.NDArray[np.object_]
Read = Callable[[pd.DataFrame], Labels]
"""Frames with the column ``form`` to the labels read."""


def suffixes(form: str) -> list[str]:
    """The last 1 to ``LONGEST`` symbols of a form."""
    return [form[-size:] for size in range(1, min(LONGEST, len(form)) + 1)]


def logistic_regression(train: pd.DataFrame) -> Read:
    """Counts of suffixes, multinomial logistic regression by L-BFGS, the intercept free."""
    return _on_suffixes(train, LogisticRegression(C=10.0, max_iter=1000))


def linear_svc(train: pd.DataFrame) -> Read:
    """Counts of suffixes, a linear support vector machine for each label."""
    return _on_suffixes(train, LinearSVC(C=1.0, random_state=0))


def _on_suffixes(train: pd.DataFrame, classifier: Any) -> Read:
    fitted = make_pipeline(CountVectorizer(analyzer=suffixes), classifier)
    fitted.fit(train["form"], train["label"])

    def read(frame: pd.DataFrame) -> Labels:
        labels: Labels = fitted.predict(frame["form"])
        return labels

    return read


def has_fasttext() -> bool:
    """Whether fastText is there: it is no dependency of the project."""
    return importlib.util.find_spec("fasttext") is not None


def fasttext(train: pd.DataFrame) -> Read:
    """The tool fastText on character n-grams of 1 to 6 symbols, one thread."""
    library = importlib.import_module("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "train.txt"
        lines = [
            f"__label__{label} {_word(form)}\n"
            for form, label in zip(train["form"], train["label"], strict=True)
        ]
        text.write_text("".join(lines), "utf-8")
        model = library.train_supervised(
            str(text),
            minn=1,
            maxn=6,
            dim=50,
            lr=0.5,
            epoch=max(10, 100_000 // len(train)),
            bucket=200_000,
            thread=1,
            verbose=0,
        )

    def read(frame: pd.DataFrame) -> Labels:
        found, _ = model.predict([_word(form) for form in frame["form"]])
        return np.array([labels[0].removeprefix("__label__") for labels in found], dtype=object)

    return read


def _word(form: str) -> str:
    return form.replace(" ", "_")  # a space would make two words of it
