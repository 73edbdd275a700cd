"""A trained reader in use: words in, labels with their probabilities out."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from esetrag.core import config
from esetrag.core.config import MOST_REPEATS
from esetrag.core.errors import CheckpointError, DataError, ParamsError
from esetrag.data import label_sets
from esetrag.models import checkpoint
from esetrag.scoring import calibration
from esetrag.scoring.calibration import ModelOutput
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.vocabulary import UNK, Vocabulary

CPU = torch.device("cpu")
READ_AT_ONCE = 8192
PUNCTUATION = string.punctuation + "„”“‚‘’«»‹›…–—¡¿·"
"""What may cling to a word that is cut out of a text."""
ALIKE = 16
"""Rows are read in multiples of this: matrix products of very few rows sum in another order."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was read off a form."""

    form: str
    labels: tuple[str, ...]
    """The likeliest first."""
    probabilities: tuple[float, ...]
    """Of those labels."""
    unknown: str
    """The form's symbols that training never showed."""
    label_set: str = ""
    """All values it may bear, joined by a slash; empty if the reader abstains."""


@dataclass(frozen=True)
class Predictor:
    """Reads the label of forms, on the CPU.

    >>> Predictor.load(Path("data/hun-noun-case/model")).predict(["házból"])  # doctest: +SKIP
    [Prediction(form='házból', labels=('IN+ABL',), probabilities=(0.98,), unknown='')]
    """

    checkpoint: checkpoint.Checkpoint

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Loads a checkpoint, with as many threads as it was trained with.

        Raises:
            CheckpointError: if it is missing or damaged.
        """
        loaded = checkpoint.load(folder)
        threads = loaded.manifest.training.get("threads")
        # Sums in another order differ in their last bits, so the core count must not decide.
        if not isinstance(threads, int) or not 0 < threads <= config.MOST_THREADS:
            threads = 1
        torch.set_num_threads(threads)
        return cls(loaded)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it tells apart."""
        return self.checkpoint.vocabulary.labels

    @cached_property
    def calibration(self) -> calibration.Calibration:
        """What was fitted on dev."""
        return calibration.Calibration(**self.checkpoint.manifest.calibration.model_dump())

    @property
    def extra_seeds(self) -> list[int]:
        """Seeds of the trainings that were made beside its own.

        Raises:
            CheckpointError: if its manifest does not tell.
        """
        match self.checkpoint.manifest.training:
            case {"seed": int(seed), "repeats": int(repeats)} if 0 <= repeats <= MOST_REPEATS:
                return list(range(seed + 1, seed + 1 + repeats))
        raise CheckpointError("the checkpoint's manifest does not tell its seeds; make it anew: dvc repro -f")

    def output(self, encoded: encoding.Encoded) -> ModelOutput:
        """What the evaluation takes."""
        return ModelOutput(self.probabilities(encoded), self.calibration, self.checkpoint.network.head)

    def probabilities(self, encoded: encoding.Encoded) -> npt.NDArray[np.float32]:
        """The distribution over the labels, (rows, labels), as calibrated on dev."""
        network = self.checkpoint.network
        logits = score(network, Batch.of(encoded, CPU)).numpy()
        return calibration.probabilities(logits, network.head, self.calibration).astype(np.float32)

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """Reads some forms.

        Args:
            forms: words, one reading each; brought to NFC first, and read without punctuation around
                them that training never showed.
            top_k: labels a form; all if there are fewer.

        Raises:
            DataError: if a form is not text, as bytes of another encoding than UTF-8 are not.
            ParamsError: if ``top_k`` is less than 1.
        """
        words = column(forms)
        rows = (row for found in self._read(words, top_k) for row in found.rows(self.labels))
        return [Prediction(form, *row) for form, row in zip(words.to_pylist(), rows, strict=True)]

    def predict_table(self, forms: pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """Reads many forms, without a loop over them.

        Args:
            forms: (rows,) strings without nulls; brought to NFC first.
            top_k: labels a form; all if there are fewer.

        Returns:
            As many rows: ``label``, ``probability``, ``label_2``, ``probability_2`` and so on, the
            likeliest first; ``label_set``, the values that the form may bear, empty where the
            likeliest is less probable than the threshold of abstention; ``unknown``.

        Raises:
            ParamsError: if ``top_k`` is less than 1.
        """
        schema = _schema(min(top_k, len(self.labels)))
        names = pa.array(self.labels, pa.string())
        parts = []
        for found in self._read(forms, top_k):
            columns = []
            for order, shares in zip(found.best.T, found.shares.T, strict=True):
                columns += [names.take(pa.array(order)), pa.array(shares)]
            columns += [pa.array(found.sets, pa.string()), pa.array(found.unknown, pa.string())]
            parts.append(pa.Table.from_arrays(columns, schema=schema))
        return pa.concat_tables(parts or [schema.empty_table()])

    def _read(self, forms: pa.ChunkedArray, top_k: int) -> Iterator[_Found]:
        """What both ways of reading give, some forms at a time."""
        if top_k < 1:
            raise ParamsError(f"top_k: expected 1 label a word or more, found {top_k}")
        vocabulary, shape = self.checkpoint.vocabulary, self.checkpoint.manifest.encoding
        for start in range(0, len(forms), READ_AT_ONCE):
            words, text = _composed(forms.slice(start, READ_AT_ONCE))
            symbols = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
            strange = vocabulary.id_of_code_point[symbols] == UNK
            bare = self._bare(words) if strange.any() else words
            ids, lengths = encoding.encode(bare, vocabulary, shape.width, shape.keep)
            rows = np.arange(len(words) + -len(words) % ALIKE) % len(words)
            unlabelled = np.zeros((len(rows), len(self.labels)), dtype=bool)
            shares = self.probabilities(encoding.Encoded(ids[rows], lengths[rows], unlabelled))[: len(words)]
            best = np.argsort(-shares, axis=1, kind="stable")[:, :top_k]  # (forms, ranks)
            likeliest = shares[np.arange(len(words))[:, None], best]
            sets = label_sets.labels(calibration.sets(shares, self.calibration.ratio), self.labels)
            sure = likeliest[:, 0] >= self.calibration.threshold
            if not sure.all():
                sets = [one if answered else "" for one, answered in zip(sets, sure.tolist(), strict=True)]
            yield _Found(best, likeliest, sets, _unknown(words, symbols, strange, vocabulary))

    def _bare(self, forms: pa.ChunkedArray) -> pa.ChunkedArray:
        """The forms without punctuation around them that no training form has; one of nothing else stays."""
        bare = pc.utf8_trim(forms, characters=self._marks)
        return pc.if_else(pc.equal(bare, ""), forms, bare)

    @cached_property
    def _marks(self) -> str:
        return "".join(mark for mark in PUNCTUATION if mark not in self.checkpoint.vocabulary.characters)


class _Found(NamedTuple):
    """What was read off some forms."""

    best: npt.NDArray[np.intp]  # (forms, ranks) labels, the likeliest first
    shares: npt.NDArray[np.float32]  # (forms, ranks) their probabilities
    sets: list[str]
    unknown: list[str]

    def rows(self, labels: Sequence[str]) -> Iterable[tuple[tuple[str, ...], tuple[float, ...], str, str]]:
        """Form by form what a ``Prediction`` says of it."""
        names = np.array(labels, dtype=object)[self.best].tolist()
        columns = (map(tuple, names), map(tuple, self.shares.tolist()), self.unknown, self.sets)
        return zip(*columns, strict=True)


def column(forms: Sequence[str]) -> pa.ChunkedArray:
    """Forms as a column.

    Raises:
        DataError: if a form is not text, as bytes of another encoding than UTF-8 are not.
    """
    try:
        return pa.chunked_array([pa.array(forms, pa.string())])
    except UnicodeEncodeError as error:
        raise DataError(f"expected words in UTF-8, found {error.object!a}") from error


def readings(forms: pa.ChunkedArray, table: pa.Table) -> list[Prediction]:
    """The rows of ``Predictor.predict_table`` one by one."""
    *columns, sets, unknown = (values.to_pylist() for values in table.columns)
    labels, shares = zip(*columns[::2], strict=True), zip(*columns[1::2], strict=True)
    rows = zip(forms.to_pylist(), labels, shares, unknown, sets, strict=True)
    return [Prediction(*row) for row in rows]


@cache
def _schema(ranks: int) -> pa.Schema:
    fields = []
    for suffix in ["", *(f"_{rank}" for rank in range(2, ranks + 1))]:
        fields += [(f"label{suffix}", pa.string()), (f"probability{suffix}", pa.float32())]
    return pa.schema([*fields, ("label_set", pa.string()), ("unknown", pa.string())])


def _composed(forms: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str]:
    """The forms in NFC, and all of them as one text."""
    text = "".join(encoding.chunk_text(chunk) for chunk in forms.chunks)
    # Any part of a text in NFC is in NFC.
    if unicodedata.is_normalized("NFC", text):
        return forms, text
    mark = "\ud800"  # in no text of UTF-8, and composes with nothing
    composed = unicodedata.normalize("NFC", mark.join(forms.to_pylist())).split(mark)
    return column(composed), "".join(composed)


def _unknown(
    forms: pa.ChunkedArray,
    symbols: npt.NDArray[np.uint32],
    strange: npt.NDArray[np.bool_],
    vocabulary: Vocabulary,
) -> list[str]:
    """Of each form the symbols that are not in the vocabulary: each once, sorted.

    Args:
        forms: words.
        symbols: code points of all of them, one word after another.
        strange: which of those are not in the vocabulary.
        vocabulary: of ``word``, it is the forms themselves that are known or not.
    """
    if vocabulary.unit == "word":
        return [vocabulary.unknown(form) for form in forms.to_pylist()]
    found = [""] * len(forms)
    if strange.any():
        row = np.repeat(np.arange(len(forms)), pc.utf8_length(forms).to_numpy())[strange]
        pairs = np.unique(row << 32 | symbols[strange])  # row and symbol in one number
        for number, symbol in zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True):
            found[number] += chr(symbol)
    return found
