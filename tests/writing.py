"""Small tasks that write words, for the tests of what reads, trains, evaluates and predicts them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import torch

from esetrag.core import config, tables
from esetrag.core.config import Resolved, Seq2seqModel, Train
from esetrag.data import label_sets
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks.transduce import Transduce
from esetrag.training import trainer
from esetrag.training.data import Data
from esetrag.training.trainer import Trained
from tests.project import REPO, STEMS

ENDINGS = {"N;NOM;SG": "", "N;ACC;SG": "t", "N;DAT;SG": "nak", "N;IN+ABL;SG": "ból"}
INFLECTION: dict[str, Any] = {
    "kind": "transduce", "raw": "a.tsv", "source": ["features", "lemma"], "target": "form", "model": "seq2seq"
}  # fmt: skip
LEMMATISATION = {**INFLECTION, "source": ["form"], "target": "lemma"}
BUILD = config.BuildVocab(unit="char", merges=0, min_count=1)
SIZES: dict[str, Any] = {
    "kind": "seq2seq", "attention": "luong", "embedding": 8, "hidden": 16, "layers": 1, "dropout": 0.1,
    "beam": 3, "ensemble": 1, "rules": True,
}  # fmt: skip
OPTIONS: dict[str, Any] = {
    "device": "cpu", "threads": 1, "epochs": 14, "min_steps": 0, "batch_size": 16, "analogies": 0,
    "unaccented": 0.0,    "learning_rate": 0.02, "label_smoothing": 0.0,
}  # fmt: skip


def task(**changed: Any) -> Transduce:
    return Transduce(config.InflectionTask.model_validate(INFLECTION | changed))


def asked(*rows: tuple[str, str | None, str]) -> pa.Table:
    """Rows (``tables.SAMPLE``) of a word that is given, its features, and a right word or several."""
    words, bundles, right = zip(*rows, strict=True)
    labels = [label_sets.join(text.split("|")) for text in right]
    return tables.sample(words, words, bundles, labels)


def paradigms(stems: list[str]) -> pa.Table:
    return asked(*[(s, bundle, s + ending) for s in stems for bundle, ending in ENDINGS.items()])


def encoded(kind: Transduce, rows: pa.Table, vocabulary: Vocabulary, width: int = 0) -> encoding.Encoded:
    steps = encoding.width_of(rows["label"], None)
    width = width or encoding.width_of(kind.texts(rows, vocabulary), None)
    return kind.encode(rows, vocabulary, width, "end", steps)


def data(train: pa.Table, dev: pa.Table, kind: Transduce) -> Data:
    vocabulary = kind.vocabulary([train], BUILD)
    first = encoded(kind, train, vocabulary)
    return Data(first, encoded(kind, dev, vocabulary, first.ids.shape[1]), vocabulary, train)


def model(**changed: Any) -> Resolved:
    return Resolved("seq2seq", [Seq2seqModel.model_validate(SIZES | changed)], lemmas=False)


def options(**changed: Any) -> Train:
    usual = config.load(REPO / "params.yaml").train.model_dump()
    return Train.model_validate(usual | OPTIONS | changed)


def toy(kind: Transduce | None = None) -> Data:
    return data(paradigms(STEMS[:20]), paradigms(STEMS[20:30]), kind or task())


@cache
def trained() -> Trained:
    """A model that inflects the toy nouns; tests may not change it."""
    torch.set_num_threads(1)
    return trainer.fit(toy(), model(), options())
