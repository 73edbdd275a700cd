"""What a reader looked at: what each letter of a form did for the label read, against another label.

The letters' scores and a rest add up to the difference of the two labels' logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from esetrag.core import tables
from esetrag.models.bilstm import BiLSTM
from esetrag.models.network import Network
from esetrag.models.ngram import NgramClassifier, spans
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import UNK, Vocabulary

MISREAD = 500
"""Misread forms that are looked at, the surest first."""
CHANCE = 42
"""Number of the generator that draws a form read right of each label."""
POINTS = (12, 48, 192)
"""On the path of integration (Gauss-Legendre): more where the scores miss the difference."""
TOLERANCE = 0.05
"""What scores and rest may miss of the difference, in logits."""


@dataclass(frozen=True)
class Scores:
    """Of n forms, why one label rather than another."""

    symbols: Tensor
    """(n, t) of the symbols at their places; 0 at BOS, EOS and PAD."""
    rest: Tensor
    """(n,) what is no letter's doing. The symbols' scores and this are the difference of the logits."""


def attribute(network: Network, rows: Batch, label: Tensor, against: Tensor) -> Scores:
    """Tells what each symbol did for one label against another.

    Of the n-gram reader that is exact: the weight of each n-gram is shared equally among the letters
    it is made of, and the rest is the bias and what the lemmas say. Of the LSTM, these are integrated
    gradients (Sundararajan et al. 2017, *Axiomatic Attribution for Deep Networks*) on the embeddings,
    from a form whose letters are zero vectors, as PAD is; the rest is what that form gives.

    Args:
        network: of the reader, on the CPU.
        rows: n forms.
        label: (n,) int64, label ids.
        against: (n,) int64, other label ids.
    """
    network.eval()
    if isinstance(network, NgramClassifier):
        return _of_ngrams(network, rows, label, against)
    return _of_gradients(network, rows, label, against)


@torch.no_grad()
def _of_ngrams(network: NgramClassifier, rows: Batch, label: Tensor, against: Tensor) -> Scores:
    places = network.places(rows.ids, rows.lengths)  # (n, n-grams)
    weights = network.weight[places, label[:, None]] - network.weight[places, against[:, None]]
    letters = spans(rows.lengths, rows.ids.shape[1], network.longest, network.suffixes_only)
    letters[:, :, 0] = False  # BOS has no share: it says where its n-gram's letters stand
    shares = torch.where(places > 0, weights, 0) / letters.sum(2).clamp_min(1)
    rest = network.bias.expand(len(rows), -1)
    if network.inflection is not None:
        rest = rest + network.inflection(rows.ids, rows.lengths, network.head)
    row = torch.arange(len(rows))
    return Scores((shares[..., None] * letters).sum(1), rest[row, label] - rest[row, against])


def _of_gradients(network: BiLSTM, rows: Batch, label: Tensor, against: Tensor) -> Scores:
    symbols = torch.zeros(rows.ids.shape)
    rest = torch.zeros(len(rows))
    left = torch.arange(len(rows))
    for points in POINTS:
        found, missed = _integrated(network, rows[left], label[left], against[left], points)
        symbols[left, : found.symbols.shape[1]], rest[left] = found.symbols, found.rest
        left = left[missed > TOLERANCE]
        if len(left) == 0:
            break
    return Scores(symbols, rest)


def _integrated(
    network: BiLSTM, rows: Batch, label: Tensor, against: Tensor, points: int
) -> tuple[Scores, Tensor]:
    """Scores, and what they miss of each row's difference."""
    place = torch.arange(rows.ids.shape[1])
    letter = (place >= 1) & (place < rows.lengths[:, None] - 1)

    def difference(embedded: Tensor) -> Tensor:
        logits = network.read(embedded, rows.lengths)
        return (logits.gather(1, label[:, None]) - logits.gather(1, against[:, None]))[:, 0]

    with torch.no_grad():
        whole = network.embedding(rows.ids)  # (n, t, e)
        letters = whole * letter[..., None]
        empty = whole - letters
        rest, wanted = difference(empty), difference(whole)
    gradient = torch.zeros_like(whole)
    for point, weight in zip(*np.polynomial.legendre.leggauss(points), strict=True):
        between = (empty + (float(point) + 1) / 2 * letters).requires_grad_()
        gradient += float(weight) / 2 * torch.autograd.grad(difference(between).sum(), between)[0]
    scores = Scores((letters * gradient).sum(2), rest)
    return scores, (scores.symbols.sum(1) + rest - wanted).abs()


def table(
    network: Network,
    encoded: Encoded,
    predictions: pa.Table,
    vocabulary: Vocabulary,
    seed: int,
) -> pa.Table:
    """Looks at the misread forms, and at one read right of each label.

    Args:
        network: of the reader, on the CPU.
        encoded: test rows.
        predictions: what was read (``tables.predictions``), row by row those encoded.
        vocabulary: its labels are the names of the columns of probabilities.
        seed: of the choice of the forms read right.

    Returns:
        ``tables.ATTRIBUTIONS``, the misread forms first. A misread form's label is held against its
        likeliest true one, that of another against the likeliest that it does not bear. Letters a
        reader cannot see, of a form too long for it, have 0; a symbol of several letters is shared
        equally among them.
    """
    labels = vocabulary.labels
    shares = predictions["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(encoded), -1)
    best = shares.argmax(1)
    rows = np.arange(len(best))
    wrong = ~encoded.targets[rows, best]
    chosen = _chosen(predictions, best, wrong, seed)
    # The true labels of a misread form that has known ones, the false labels of any other.
    rivals = encoded.targets == (wrong & encoded.targets.any(1))[:, None]
    ranked = shares + 2 * rivals  # rivals first, where there are any
    ranked[rows, best] = -1
    against = ranked.argmax(1) if len(labels) > 1 else best

    scores = np.zeros((0, 0), np.float32)
    rest = np.zeros(0, np.float32)
    if len(chosen):
        batch = Batch.of(encoded, torch.device("cpu"))[torch.from_numpy(chosen)]
        found = attribute(network, batch, torch.from_numpy(best[chosen]), torch.from_numpy(against[chosen]))
        scores, rest = found.symbols.numpy(), found.rest.numpy()
    some = predictions.take(pa.array(chosen))
    letters = [
        _aligned(
            _of_letters(line[1 : length - 1], ids[1 : length - 1], form, vocabulary), len(form), encoded.keep
        )
        for line, ids, length, form in zip(
            scores, encoded.ids[chosen], encoded.lengths[chosen], some["form"].to_pylist(), strict=True
        )
    ]
    names = pa.array(labels, pa.string())
    columns = [
        some["form"],
        some["label"],
        names.take(pa.array(best[chosen])),
        names.take(pa.array(against[chosen])),
        pa.array(rest),
        pa.array(letters, pa.list_(pa.float32())),
    ]
    return pa.Table.from_arrays(columns, schema=tables.ATTRIBUTIONS)


def _chosen(
    predictions: pa.Table, best: npt.NDArray[np.int64], wrong: npt.NDArray[np.bool_], seed: int
) -> npt.NDArray[np.int64]:
    """Rows to look at: misread ones, the surest first, then one read right of each label."""
    order = predictions.select(["probability", "form", "features"]).append_column(
        "row", pa.array(np.arange(len(wrong)))
    )
    surest = order.filter(pa.array(wrong)).sort_by(
        [("probability", "descending"), ("form", "ascending"), ("features", "ascending")]
    )
    drawn = np.random.default_rng([seed, CHANCE]).permutation(len(wrong))
    right = drawn[~wrong[drawn]]
    _, first = np.unique(best[right], return_index=True)
    return np.concatenate([surest["row"].to_numpy()[:MISREAD], right[first]])


def _of_letters(
    scores: npt.NDArray[np.float32], ids: npt.NDArray[np.unsignedinteger], form: str, vocabulary: Vocabulary
) -> npt.NDArray[np.float32]:
    """The scores of symbols shared among their letters; an unknown symbol is a letter, or the whole form."""
    if vocabulary.unit == "char":
        return scores
    unknown = len(form) if vocabulary.unit == "word" else 1
    sizes = np.array([unknown if i == UNK else len(vocabulary.symbols[i]) for i in ids], dtype=np.int64)
    return np.repeat(scores / np.maximum(sizes, 1), sizes).astype(np.float32)


def _aligned(scores: npt.NDArray[np.float32], symbols: int, keep: str) -> npt.NDArray[np.float32]:
    """The scores of all symbols of a form, of which those at one end may not have been read."""
    unread = np.zeros(symbols - len(scores), np.float32)
    return np.concatenate([unread, scores] if keep == "end" else [scores, unread])
