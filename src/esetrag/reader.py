"""A trained reader in use: words in, labels with their probabilities out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from esetrag import checkpoint, encoding
from esetrag.batches import Batch, score
from esetrag.errors import DataError

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read off a form."""

    form: str
    labels: tuple[str, ...]
    """The likeliest first."""
    probabilities: tuple[float, ...]
    """Of those labels."""
    unknown: str
    """The form's symbols that training never showed."""


@dataclass(frozen=True)
class Reader:
    """Reads the label of forms, on the CPU.

    >>> Reader.load(Path("data/hun-noun-case/model")).predict(["házból"])  # doctest: +SKIP
    [Reading(form='házból', labels=('IN+ABL',), probabilities=(0.98,), unknown='')]
    """

    checkpoint: checkpoint.Checkpoint

    @classmethod
    def load(cls, folder: Path) -> Reader:
        """Loads a checkpoint, with as many threads as it was trained with.

        Raises:
            CheckpointError: if it is missing or damaged.
        """
        loaded = checkpoint.load(folder)
        threads = loaded.manifest.training.get("threads")
        # Sums in another order differ in their last bits, so the core count must not decide.
        torch.set_num_threads(threads if isinstance(threads, int) and threads > 0 else 1)
        return cls(loaded)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it tells apart."""
        return self.checkpoint.vocabulary.labels

    def probabilities(self, encoded: encoding.Encoded) -> npt.NDArray[np.float32]:
        """The distribution over the labels, (rows, labels)."""
        logits = score(self.checkpoint.network, Batch.of(encoded, CPU))
        shares: npt.NDArray[np.float32] = torch.softmax(logits, dim=1).numpy()
        return shares

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Reading]:
        """Reads some forms.

        Args:
            forms: words, one reading each; brought to NFC first.
            top_k: labels a form.

        Raises:
            DataError: if a form is not text, as bytes of another encoding than UTF-8 are not.
        """
        if not forms:
            return []
        words = pa.chunked_array([pa.array([_text(form) for form in forms], pa.string())])
        vocabulary = self.checkpoint.vocabulary
        shape = self.checkpoint.manifest.encoding
        ids, lengths = encoding.encode(words, vocabulary, shape.width, shape.keep)
        unlabelled = np.full(len(words), encoding.UNSEEN, dtype=np.int16)
        shares = self.probabilities(encoding.Encoded(ids, lengths, unlabelled))
        best = np.argsort(-shares, axis=1, kind="stable")[:, :top_k]  # (forms, top_k)
        known = set(vocabulary.symbols)
        return [
            Reading(
                form,
                tuple(self.labels[label] for label in order),
                tuple(float(share) for share in row[order]),
                "".join(sorted(set(word) - known)),
            )
            for form, word, row, order in zip(forms, words.to_pylist(), shares, best, strict=True)
        ]


def _text(form: str) -> str:
    if any("\ud800" <= symbol <= "\udfff" for symbol in form):
        raise DataError(f"expected words in UTF-8, found {form!a}")
    return unicodedata.normalize("NFC", form)
