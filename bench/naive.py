"""A six-stage pipeline as one would write it after the notebook: python -m bench.naive STAGE.

Every stage imports torch, pandas and mlflow; the last one resumes the run; each epoch is logged by itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import mlflow
import mlflow.pytorch
import numpy as np
import pandas as pd
import safetensors.torch
import torch

from bench import notebook

SEED = 12
SIZES = {"train": 1000, "dev": 200, "test": 200}


def prepare() -> None:
    """Table to labelled rows."""
    names = ["lemma", "form", "features"]
    rows = pd.read_csv("raw.tsv.gz", sep="\t", names=names, na_filter=False, quoting=3)
    rows = rows[rows["features"].str.startswith("N;")].drop_duplicates()
    rows["label"] = rows["features"].apply(lambda tags: tags.split(";")[1])
    rows.to_csv("rows.csv", index=False)


def sample() -> None:
    """Rows to train, dev and test."""
    rows = pd.read_csv("rows.csv", na_filter=False)
    lemmas = rows["lemma"].unique()
    np.random.RandomState(SEED).shuffle(lemmas)
    first, second = int(0.8 * len(lemmas)), int(0.9 * len(lemmas))
    for part, chosen in zip(SIZES, np.split(lemmas, [first, second]), strict=True):
        drawn = rows[rows["lemma"].isin(chosen)].sample(SIZES[part], random_state=SEED)
        drawn.to_csv(f"{part}.csv", index=False)


def build_vocab() -> None:
    """Training rows to the alphabet."""
    alphabet = notebook.Alphabet.of(pd.read_csv("train.csv", na_filter=False))
    Path("vocab.json").write_text(json.dumps(vars(alphabet)), "utf-8")


def encode_pad() -> None:
    """Rows to padded ids."""
    for part in SIZES:
        frame = notebook.encode(pd.read_csv(f"{part}.csv", na_filter=False), _alphabet())
        frame.to_parquet(f"{part}.parquet")


def train() -> None:
    """Trains; logs parameters, each epoch and the model."""
    rows, dev = (notebook.tensors(pd.read_parquet(f"{part}.parquet")) for part in ("train", "dev"))
    alphabet = _alphabet()
    torch.manual_seed(SEED)
    network = notebook.Classifier(len(alphabet.symbols), len(alphabet.labels))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    with mlflow.start_run() as run:
        mlflow.log_params({"epochs": notebook.EPOCHS, "batch": notebook.BATCH, "seed": SEED, **SIZES})
        for epoch in range(notebook.EPOCHS):
            notebook.train_epoch(network, optimizer, rows)
            for part, batch in (("train", rows), ("dev", dev)):
                loss, accuracy = notebook.evaluate(network, batch)
                mlflow.log_metric(f"{part}_loss", loss, step=epoch)
                mlflow.log_metric(f"{part}_accuracy", accuracy, step=epoch)
        mlflow.pytorch.log_model(network, name="model", serialization_format="pickle")
        safetensors.torch.save_file(network.state_dict(), "model.safetensors")
        Path("run.txt").write_text(run.info.run_id, "utf-8")


def evaluate() -> None:
    """Tests; logs the figures and the confusion matrix."""
    alphabet = _alphabet()
    network = notebook.Classifier(len(alphabet.symbols), len(alphabet.labels))
    network.load_state_dict(safetensors.torch.load_file("model.safetensors"))
    test = pd.read_csv("test.csv", na_filter=False)
    loss, accuracy = notebook.evaluate(network, notebook.tensors(pd.read_parquet("test.parquet")))
    test["predicted"] = notebook.Trained(network, alphabet).predict(test)
    test.to_csv("predictions.csv", index=False)
    plt.matshow(pd.crosstab(test["label"], test["predicted"]))
    plt.savefig("confusion.png")
    Path("test.json").write_text(json.dumps({"loss": loss, "accuracy": accuracy}), "utf-8")
    with mlflow.start_run(run_id=Path("run.txt").read_text("utf-8")):
        mlflow.log_metric("test_loss", loss)
        mlflow.log_metric("test_accuracy", accuracy)
        mlflow.log_artifact("confusion.png")


def _alphabet() -> notebook.Alphabet:
    return notebook.Alphabet(**json.loads(Path("vocab.json").read_text("utf-8")))


STAGES = {stage.__name__: stage for stage in (prepare, sample, build_vocab, encode_pad, train, evaluate)}

if __name__ == "__main__":
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    STAGES[sys.argv[1]]()
