"""What each letter of a form contributes to the predicted label, against another label.

The contributions of the letters and a rest add up to the difference of the two labels' logits.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from esetrag.core import tables
from esetrag.models.network import Network
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import UNK, Vocabulary

ERRORS = 500
"""Misclassified forms that are explained, the most confident first."""
STREAM = 42
"""Of the generator that draws a correctly classified form of each label."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def table(
    network: Network, encoded: Encoded, predictions: pa.Table, vocabulary: Vocabulary, seed: int
) -> pa.Table:
    """Explains the misclassified forms, and one correctly classified form of each label.

    Args:
        network: of the model, on the CPU.
        encoded: test rows.
        predictions: of the same rows (``tables.predictions``).
        vocabulary: its labels are the names of the columns of probabilities.
        seed: of the choice of the correctly classified forms.

    Returns:
        ``tables.ATTRIBUTIONS``, the misclassified forms first. An error is explained against the most
        probable true label, any other prediction against the most probable label that is not true.
        Letters that were cut off have 0; the letters of one symbol share its contribution equally.
    """
    shares = predictions["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(encoded), -1)
    rows, best = np.arange(len(shares)), shares.argmax(1)
    wrong = ~encoded.targets[rows, best]
    rivals = encoded.targets == (wrong & encoded.targets.any(1))[:, None]
    ranked = shares + 2 * rivals  # rivals first, where there are any
    ranked[rows, best] = -1
    against = ranked.argmax(1) if shares.shape[1] > 1 else best

    chosen = _chosen(predictions, best, wrong, seed)
    batch = Batch.of(encoded, torch.device("cpu"))[torch.from_numpy(chosen)]
    network.eval()
    scores, rest = network.attribute(batch, torch.from_numpy(best[chosen]), torch.from_numpy(against[chosen]))
    explained, names = predictions.take(pa.array(chosen)), pa.array(vocabulary.labels, pa.string())
    letters = [
        letters_of(line[1 : length - 1], ids[1 : length - 1], form, vocabulary, encoded.keep)
        for line, ids, length, form in zip(
            scores.numpy(),
            encoded.ids[chosen],
            encoded.lengths[chosen],
            explained["form"].to_pylist(),
            strict=True,
        )
    ]
    columns = [
        explained["form"],
        explained["label"],
        names.take(pa.array(best[chosen])),
        names.take(pa.array(against[chosen])),
        pa.array(rest.numpy()),
        pa.array(letters, pa.list_(pa.float32())),
    ]
    return pa.Table.from_arrays(columns, schema=tables.ATTRIBUTIONS)


def _chosen(predictions: pa.Table, best: Ints, wrong: Bools, seed: int) -> Ints:
    """Rows of the most confident errors, then one correctly classified row of each label."""
    order = predictions.select(["probability", "form", "features"])
    errors = order.append_column("row", pa.array(np.arange(len(wrong)))).filter(pa.array(wrong))
    errors = errors.sort_by([("probability", "descending"), ("form", "ascending"), ("features", "ascending")])
    drawn = np.random.default_rng([seed, STREAM]).permutation(len(wrong))
    correct = drawn[~wrong[drawn]]
    _, first = np.unique(best[correct], return_index=True)
    return np.concatenate([errors["row"].to_numpy()[:ERRORS], correct[first]])


def letters_of(
    scores: npt.NDArray[np.float32],
    ids: npt.NDArray[np.unsignedinteger],
    form: str,
    vocabulary: Vocabulary,
    keep: str,
) -> npt.NDArray[np.float32]:
    """The contributions of symbols, shared among their letters; 0 for letters that were cut off.

    Those of values of features belong to no letter.
    """
    scores, ids = scores[ids < len(vocabulary.symbols)], ids[ids < len(vocabulary.symbols)]
    if vocabulary.reads_pairs and vocabulary.unit == "word":
        spread = np.zeros(len(form), np.float32)
        for word, score in zip(re.finditer(r"[^ \t]+|\t", form), scores, strict=False):
            spread[slice(*word.span())] = score / len(word[0])
        return spread
    unknown = len(form) if len(ids) == 1 else 1  # an unknown symbol is a letter or the whole form
    sizes = np.array([unknown if i == UNK else len(vocabulary.symbols[i]) for i in ids], dtype=np.int64)
    letters = np.repeat(scores / np.maximum(sizes, 1), sizes).astype(np.float32)
    cut = np.zeros(len(form) - len(letters), np.float32)
    return np.concatenate([cut, letters] if keep == "end" else [letters, cut])
