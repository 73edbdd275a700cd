"""A trained model applied to new words: words in, labels with their probabilities out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from esetrag import predict
from esetrag.core import text
from esetrag.core.errors import DataError, ParamsError
from esetrag.data import label_sets
from esetrag.data.bundles import Feature, features_of
from esetrag.models import checkpoint
from esetrag.models.network import score
from esetrag.predict.prediction import Prediction
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import SPECIAL, UNK, Vocabulary

CPU = torch.device("cpu")
BATCH = 8192
"""Words that are predicted at once."""
MULTIPLE = 16
"""Rows are computed in multiples of this: matrix products of very few rows sum in another order."""
NO_LETTER = "no known letter"
"""The note of a form without any letter of the training set: digits, punctuation, another script, nothing."""


@dataclass(frozen=True)
class Predictor:
    """Predicts the label of forms, on the CPU.

    >>> Predictor.load(Path("data/hun-noun-case/model")).predict(["házból"])  # doctest: +SKIP
    [Prediction(form='házból', labels=('IN+ABL',), probabilities=(0.98,), unknown='', label_set='IN+ABL')]
    """

    checkpoint: checkpoint.Checkpoint
    kind: ClassVar[str] = "classify"
    """Of the tasks whose models it applies."""
    separated: ClassVar[bool] = False
    """Whether tabs separate the parts of what is asked for."""

    @property
    def bundles(self) -> tuple[str, ...]:
        """The bundles that may be given; a classifier of words is given none."""
        return ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Loads a checkpoint.

        Raises:
            CheckpointError: if it is missing, damaged, or of a model of another kind.
        """
        return cls(predict.load(folder, cls.kind).checkpoint)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it distinguishes."""
        return self.checkpoint.vocabulary.labels

    @cached_property
    def features(self) -> list[Feature]:
        """The features that a label joins, if it joins several."""
        return features_of(self.labels, self.checkpoint.vocabulary.dimensions)

    @cached_property
    def calibration(self) -> calibration.Calibration:
        """What was fitted on the development set."""
        return self.checkpoint.calibration

    def probabilities(self, encoded: encoding.Encoded) -> npt.NDArray[np.float32]:
        """The distribution over the labels, (rows, labels), calibrated."""
        network = self.checkpoint.network
        logits = score(network, Batch.of(encoded, CPU)).numpy()
        return calibration.probabilities(logits, network.head, self.calibration).astype(np.float32)

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """Predicts the labels of forms.

        Args:
            forms: words; brought to NFC first. Punctuation and invisible characters at an end of them
                that no training form had there are left out.
            top_k: labels a form; all if there are fewer.

        Raises:
            DataError: if a form is not text, as bytes of another encoding than UTF-8 are not.
            ParamsError: if ``top_k`` is less than 1.
        """
        words, rows = column(forms), list[tuple[Any, ...]]()
        for batch in self._batches(words, top_k):
            labels = np.array(self.labels, dtype=object)[batch.top].tolist()
            notes = ["" if known else NO_LETTER for known in batch.has_letter.tolist()]
            ranks = (map(tuple, labels), map(tuple, batch.shares.tolist()))
            rows += zip(*ranks, batch.unknown, batch.sets, notes, self._by_feature(batch, top_k), strict=True)
        return [Prediction(form, *row) for form, row in zip(words.to_pylist(), rows, strict=True)]

    def _by_feature(self, batch: _Batch, top_k: int) -> Iterable[Mapping[str, Mapping[str, float]]]:
        """The most probable values of each feature, for each form of a batch."""
        made: list[dict[str, dict[str, float]]] = [{} for _ in batch.sets]
        for feature in self.features:
            values, shares = feature.ranked(batch.all_shares, self.checkpoint.network.head, top_k)
            for row, *ranks in zip(made, values.tolist(), shares.round(4).tolist(), strict=True):
                row[feature.name] = dict(zip(*ranks, strict=True))
        return made

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """Predicts the labels of many forms, without a loop over them.

        Args:
            forms: (rows,) strings of any of Arrow's types, without nulls; taken as ``predict`` takes them.
            top_k: labels a form; all if there are fewer.

        Returns:
            As many rows: ``label``, ``probability``, ``label_2``, ``probability_2`` and so on, the
            most probable first; ``label_set``; ``unknown``; if labels are bundles, each feature's most
            probable value and its probability.

        Raises:
            DataError: if a form is not text.
            ParamsError: if ``top_k`` is less than 1.
        """
        columns_of = schema(min(top_k, len(self.labels)), tuple(feature.name for feature in self.features))
        names = pa.array(self.labels, pa.string())
        tables = [columns_of.empty_table()]
        for batch in self._batches(column(forms), top_k):
            columns = []
            for labels, shares in zip(batch.top.T, batch.shares.T, strict=True):
                columns += [names.take(pa.array(labels)), pa.array(shares)]
            columns += [pa.array(batch.sets, pa.string()), pa.array(batch.unknown, pa.string())]
            for feature in self.features:
                values, shares = feature.ranked(batch.all_shares, self.checkpoint.network.head, 1)
                columns += [pa.array(values[:, 0], pa.string()), pa.array(shares[:, 0], pa.float32())]
            tables.append(pa.Table.from_arrays(columns, schema=columns_of))
        return pa.concat_tables(tables)

    def _batches(self, forms: pa.ChunkedArray, top_k: int) -> Iterator[_Batch]:
        check_top_k(top_k)
        vocabulary, shape = self.checkpoint.vocabulary, self.checkpoint.manifest.encoding
        for start in range(0, len(forms), BATCH):
            words, whole = composed(forms.slice(start, BATCH))
            symbols = np.frombuffer(whole.encode("utf-32-le"), dtype=np.uint32)
            is_unknown = vocabulary.id_of_code_point[symbols] == UNK
            words_bare = bare(words, vocabulary)
            ids, lengths = encoding.encode(words_bare, vocabulary, self._width(words_bare), shape.keep)
            rows = np.arange(len(words) + -len(words) % MULTIPLE) % len(words)
            encoded = encoding.Encoded.unlabelled(ids[rows], lengths[rows], len(self.labels))
            shares = self.probabilities(encoded)[: len(words)]
            top = np.argsort(-shares, axis=1, kind="stable")[:, :top_k]
            top_shares = shares[np.arange(len(words))[:, None], top]
            has_letter = self._is_letter[ids].any(1)
            answered = has_letter & (top_shares[:, 0] >= self.calibration.threshold)
            sets = calibration.sets(shares, self.calibration.ratio) & answered[:, None]
            unknown = [""] * len(words)
            if is_unknown.any() or (ids == UNK).any():
                of_symbols = np.repeat(np.arange(len(words)), pc.utf8_length(words).to_numpy())
                for row in {*of_symbols[is_unknown].tolist(), *np.flatnonzero((ids == UNK).any(1)).tolist()}:
                    unknown[row] = text.visible(vocabulary.unknown(words[row].as_py()))
            yield _Batch(top, top_shares, label_sets.labels(sets, self.labels), unknown, has_letter, shares)

    def _width(self, forms: pa.ChunkedArray) -> int:  # noqa: ARG002
        """Symbols of encoded forms."""
        return self.checkpoint.manifest.encoding.width

    @cached_property
    def _is_letter(self) -> npt.NDArray[np.bool_]:
        return letters(self.checkpoint.vocabulary)


class _Batch(NamedTuple):
    """The predictions of a batch of forms."""

    top: npt.NDArray[np.intp]  # (forms, ranks) labels, the most probable first
    shares: npt.NDArray[np.float32]  # (forms, ranks) their probabilities
    sets: list[str]
    unknown: list[str]
    has_letter: npt.NDArray[np.bool_]
    all_shares: npt.NDArray[np.float32]  # (forms, labels)


def check_top_k(top_k: int) -> None:
    """Raises ParamsError if a number of labels a word is less than 1."""
    if top_k < 1:
        raise ParamsError(f"top_k: expected 1 label a word or more, found {top_k}")


def column(forms: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Forms as a column of ``pa.string()``, of which the encoding reads the buffers.

    Raises:
        DataError: if a form is not text, as null and bytes of another encoding than UTF-8 are not.
    """
    if isinstance(forms, pa.Array | pa.ChunkedArray):
        chunked = forms if isinstance(forms, pa.ChunkedArray) else pa.chunked_array([forms])
        kind = forms.type.value_type if pa.types.is_dictionary(forms.type) else forms.type
        if kind in (pa.string(), pa.large_string(), pa.string_view()) and not chunked.null_count:
            return chunked.cast(pa.string())
        forms = chunked.to_pylist()
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        array = pa.array(forms, pa.string())
        if not array.null_count:
            return pa.chunked_array([array])
    for row, form in enumerate(forms, 1):
        shown = str(form).encode("utf-8", "backslashreplace").decode()
        if form != shown:
            raise DataError(f"word {row}: expected text in UTF-8, found '{shown[:40]}'")
    raise DataError("expected words")


def letters(vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """Whether the symbol of each id has a letter; where none has one, as in numbers, all count."""
    known = np.array([symbol not in SPECIAL for symbol in vocabulary.symbols])
    has_letter = known & [any(map(str.isalpha, symbol)) for symbol in vocabulary.symbols]
    has_letter[UNK] = vocabulary.unit == "word"
    counting: npt.NDArray[np.bool_] = has_letter if has_letter.any() else known
    return np.pad(counting, (0, len(vocabulary.features)))


def bare(words: pa.ChunkedArray, vocabulary: Vocabulary) -> pa.ChunkedArray:
    """Words without what no training word begins with and what none ends in, of that which is no letter."""
    first, last = map(_other_marks, vocabulary.edges)
    return pc.utf8_rtrim(pc.utf8_ltrim(words, characters=first), characters=last)


@cache
def _other_marks(edge: str) -> str:
    """What is no letter, without the marks that training words have there; cached: it takes a millisecond."""
    return "".join(sorted({*text.no_letters()} - {*edge}))


@cache
def schema(ranks: int, dimensions: tuple[str, ...] = ()) -> pa.Schema:
    """The columns of predictions of so many labels a form, that join values of such features."""
    fields = []
    for suffix in ["", *(f"_{rank}" for rank in range(2, ranks + 1))]:
        fields += [(f"label{suffix}", pa.string()), (f"probability{suffix}", pa.float32())]
    fields += [("label_set", pa.string()), ("unknown", pa.string())]
    for name in dimensions:
        fields += [(name, pa.string()), (f"{name}_probability", pa.float32())]
    return pa.schema(fields)


def composed(forms: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str]:
    """The forms in NFC, and all of them as one text."""
    whole = "".join(encoding.chunk_text(chunk) for chunk in forms.chunks)
    # Any part of a text in NFC is in NFC.
    if (piled := text.pile(whole) >= 0) or not unicodedata.is_normalized("NFC", whole):
        mark = "\ud800"  # in no text of UTF-8, and composes with nothing
        words = forms.to_pylist()
        composed = [*map(text.compose, words)] if piled else text.compose(mark.join(words)).split(mark)
        return column(composed), "".join(composed)
    return forms, whole
