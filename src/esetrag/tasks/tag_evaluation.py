"""The test of a model that tags letters: segment F1 and tag accuracy beside two baselines."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from esetrag.data import label_sets, segments
from esetrag.models.edit_rules import EditRules
from esetrag.scoring import segmentation
from esetrag.scoring.ratios import Bools, Ratio
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD, SPECIAL, UNK, Vocabulary
from esetrag.tasks import transduce_evaluation
from esetrag.tasks.base import Test, Tested
from esetrag.tasks.transduce import Words, right, written
from esetrag.tasks.transduce_evaluation import Evaluator, Ranked


def test(test: Test) -> Tested:
    """Tests a model that tags; see ``testing``."""
    return transduce_evaluation.evaluated(test, TAGGING)


def baselines(
    train: pa.Table,  # noqa: ARG001
    encoded: Encoded,
    test: Batch,
    forms: Words,
    vocabulary: Vocabulary,
) -> dict[str, Ranked]:
    """How words that end alike are split most often, and the most frequent tag of each letter."""
    letters = test.source.lengths.numpy() - encoding.MARKS
    rules = _endings(encoded, vocabulary)
    tails = rules.propose(test.source)[:, 0].numpy()
    certain = np.exp(rules.score(test.source, torch.arange(len(tails)), torch.from_numpy(tails)).numpy())
    same, place = _same(vocabulary), np.arange(test.source.ids.shape[1] - 1)
    sizes = (tails > UNK).sum(1) - 1  # tags of the ending, behind the first letter's
    of_tail = place - (letters - sizes)[:, None] + 1
    ids = np.where(of_tail < 1, same, np.take_along_axis(tails, np.clip(of_tail, 0, tails.shape[1] - 1), 1))
    ids[:, 0] = tails[:, 0]
    splits = written(np.where(place < letters[:, None], ids, PAD)[:, None], forms, vocabulary)
    return {
        "longest_suffix_split": Ranked(splits, certain[:, None]),
        "frequent_tags": _frequent(encoded, test, forms, vocabulary),
    }


def _endings(encoded: Encoded, vocabulary: Vocabulary) -> EditRules:
    """A table of suffixes with the first tag of words and the tags of their endings, the first change on."""
    targets = encoded.targets.astype(np.int64)
    place, sizes = np.arange(targets.shape[1]), (targets > UNK).sum(1)
    changed = (targets != _same(vocabulary)) & (place > 0) & (place < sizes[:, None])
    start = np.where(changed.any(1), changed.argmax(1), sizes)
    at = np.where(place > 0, place - 1 + start[:, None], 0)
    tails = np.where(
        at <= sizes[:, None], np.take_along_axis(targets, np.minimum(at, len(place) - 1), 1), PAD
    )
    source = Batch.of(encoded, torch.device("cpu")).source
    sizes_of = (len(vocabulary.symbols), len(vocabulary.output.symbols))
    return EditRules.fit(source, torch.from_numpy(tails), *sizes_of)


def _same(vocabulary: Vocabulary) -> int:
    """The id of the tag that continues a segment."""
    known = segments.SAME in vocabulary.labels
    return len(SPECIAL) + vocabulary.labels.index(segments.SAME) if known else UNK


def _frequent(encoded: Encoded, test: Batch, forms: Words, vocabulary: Vocabulary) -> Ranked:
    """The most frequent tag of each letter; of the first letter one that begins a segment."""
    size, tags = vocabulary.size, len(vocabulary.labels)
    known = encoded.targets > UNK
    pairs = encoded.ids[:, 1:][known].astype(np.int64) * tags + encoded.targets[known] - len(SPECIAL)
    counts = np.bincount(pairs, minlength=size * tags).reshape(size, tags)
    shares = counts + counts.sum(0) / max(counts.sum(), 1)  # of a letter that has none those of all letters
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    opening = shares * [segments.begins(label) for label in vocabulary.labels]
    ids, place = test.source.ids.numpy(), np.arange(test.source.ids.shape[1] - 1)
    opens = place[None] == 0
    tag = np.where(opens, opening.argmax(1)[ids[:, 1:]], shares.argmax(1)[ids[:, 1:]])
    share = np.where(opens, opening.max(1)[ids[:, 1:]], shares.max(1)[ids[:, 1:]])
    is_letter = place < test.source.lengths.numpy()[:, None] - encoding.MARKS
    made = written(np.where(is_letter, tag + len(SPECIAL), 0)[:, None], forms, vocabulary)
    return Ranked(made, np.where(is_letter, share, 1).prod(1)[:, None].astype(np.float32))


def scores_of(rows: pa.Table, ranked: Ranked) -> dict[str, Ratio]:
    """Exact match, F1 of segments, accuracy of tags, whether a right one is among the candidates."""
    hits, made = right(ranked.words, rows["label"]), ranked.words[:, 0]
    predicted = pa.chunked_array([pa.array(made, pa.string())])
    return {
        "accuracy": Ratio.mean(hits[:, 0]),
        "f1": f1(rows["label"], predicted),
        "tag_accuracy": _tag_accuracy(rows["form"], rows["label"], predicted),
        "in_candidates": Ratio.mean(np.asarray(hits.any(1))),
    }


def f1(labels: pa.ChunkedArray, predicted: pa.ChunkedArray) -> Ratio:
    """F1 of segments; a segmentation that is none of the right ones is compared with the first of them."""
    true = label_sets.beside(labels, predicted)
    both = ([segments.segments(text) for text in column.to_pylist()] for column in (true, predicted))
    return segmentation.f1(*both)


def _tag_accuracy(forms: pa.ChunkedArray, labels: pa.ChunkedArray, predicted: pa.ChunkedArray) -> Ratio:
    true, counts = segments.tags(forms, label_sets.beside(labels, predicted))
    made, _ = segments.tags(forms, predicted)
    row = np.repeat(np.arange(len(counts)), counts)
    same = pc.equal(true, made).to_numpy(zero_copy_only=False)
    return Ratio(np.bincount(row, same, len(counts)), counts)


def expressible(rows: pa.Table, vocabulary: Vocabulary) -> Bools:
    """Whether training has all tags of a right segmentation of each word, (n,)."""
    labels = [label_sets.values(label) for label in rows["label"].to_pylist()]
    row = np.repeat(np.arange(len(rows)), [len(values) for values in labels])
    texts = pa.chunked_array([pa.array([value for values in labels for value in values], pa.string())])
    forms = pa.chunked_array([rows["form"].combine_chunks().take(pa.array(row))])
    tags, counts = segments.tags(forms, texts)
    known = pc.is_in(tags, value_set=pa.array(vocabulary.labels, pa.string())).to_numpy(zero_copy_only=False)
    missing = np.bincount(np.repeat(np.arange(len(row)), counts), ~known, len(row))
    fits = np.zeros(len(rows), bool)
    np.logical_or.at(fits, row, missing == 0)
    return fits


TAGGING = Evaluator(
    ("longest_suffix_split", "frequent_tags"), baselines, scores_of, expressible, segments.confusion
)
