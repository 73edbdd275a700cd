"""Finds labels that contradict what the same change of the lemma says at other lemmas.

Two explanations compete for every row: its label is correct, and drawn from the labels that rows of *other*
lemmas with the same ending have; or it is wrong, and drawn from the errors of this table. Which labels are
correct and how likely each error is are estimated in turn, each from the other, until nothing moves (Dawid
and Skene, 1979). Rows of a lemma count as one witness, since a paradigm that was copied one row off is wrong
as a whole; a form with several legitimate values has support for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.change import Changes, Ints, behind

Floats = npt.NDArray[np.float64]
Level = tuple[Ints, Ints]
"""The context that each row is in, and the lemma's rows within it, as ids (n,)."""

SUFFIXES = 3
"""Symbols of the longest ending that counts whatever the lemma."""
TRUST = (3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 30.0)
"""Rows of a context that weigh as much as all that is more general; the last one splits rare endings."""
RIGID = 0.5
"""Share of a lemma's rows that may change, for the others to say nothing."""
SURE = 0.9
"""A label that has so much support at first is not doubted at all."""
WRONG, UNSUPPORTED = 0.9, 0.1
"""A row is suspicious if its label is that likely wrong and other lemmas support it so little."""
FIRST_SHARE = 0.01  # of wrong rows, before any was counted
LEAST_SHARE = 1e-4
LEMMA_PRIOR = 1.0  # rows' worth of the table's share of wrong rows in the share of a lemma
ERRORS_PRIOR = 20.0  # rows' worth of errors that go to any other label alike
ROUNDS, STILL = 30, 0.01
TINY = 1e-12


@dataclass(frozen=True)
class Doubts:
    """The case against each row's label."""

    labels: list[str]
    """All labels, sorted."""
    wrong: Floats
    """(n,) probability that the label is wrong."""
    support: Floats
    """(n,) share of the label among other lemmas' rows that look like this one."""
    evidence: Floats
    """(n,) natural logarithm of how much more likely the row is as an error."""
    likelier: Ints
    """(n,) id of the best other label."""
    witnesses: Ints
    """(n, 3) rows of other lemmas with the same change after the same symbol: all, with the label, with the
    likelier one."""
    suspicious: npt.NDArray[np.bool_]
    """(n,) whether the label is more than doubtful, by witnesses of this form or of another of the lemma."""


def doubts(rows: pa.Table, change: Changes, others: Ints) -> Doubts:
    """Compares each row's label with the rows of other lemmas.

    Args:
        rows: columns ``lemma`` and ``label``.
        change: of the same rows.
        others: (n,) ids of the other features of each row's bundle.
    """
    labels = pc.unique(rows["label"]).sort()
    label = pc.index_in(rows["label"], labels).to_numpy().astype(np.int64)
    lemma, count = ids(rows["lemma"]), len(label)
    result = Doubts(
        labels.to_pylist(),
        wrong=np.zeros(count),
        support=np.ones(count),
        evidence=np.zeros(count),
        likelier=np.zeros(count, np.int64),
        witnesses=np.zeros((count, 3), np.int64),
        suspicious=np.zeros(count, bool),
    )
    if len(labels) > 1:
        levels = [(context, pair(context, lemma)) for context in _contexts(change, others)]
        supported = _support(levels[:-1], label, len(labels))
        result.support[:] = np.where(_judged(change, lemma, label), supported, 1)
        low = np.flatnonzero(result.support < SURE)
        if len(low):
            _estimate(result, levels, label, lemma, ids(change.forms), pair(lemma, others), low)
    return result


def _judged(change: Changes, lemma: Ints, label: Ints) -> npt.NDArray[np.bool_]:
    """Whether the change of each row can speak, (n,).

    That no change is made says nothing of a lemma that hardly inflects; and a change that runs over several
    words has no other lemma beside it.
    """
    endings = pc.binary_join_element_wise(change.dropped, change.ending, "")
    changed = pc.not_equal(pc.binary_join_element_wise(change.front, endings, ""), "").to_numpy()
    several = np.bincount(lemma[np.unique(pair(lemma, label), return_index=True)[1]])[lemma] > 1
    rigid = np.bincount(lemma, changed)[lemma] <= RIGID * _size(lemma)
    words = pc.match_substring(endings, " ").to_numpy()
    judged: npt.NDArray[np.bool_] = ~words & (changed | ~(rigid & several))
    return judged


def _contexts(change: Changes, others: Ints) -> list[Ints]:
    """What the value of a form may depend on as ids, (n,) each, from the general to the particular.

    The last one, two and three symbols; the ending; the whole change; the change and the other features
    of the bundle; and these with the symbol before the ending. What stands before the stem belongs to each.
    Last, for the witnesses alone, the change with the symbol before the ending.
    """
    front = ids(change.front)
    ends = (ids(pc.utf8_slice_codeunits(change.forms, start=-size)) for size in range(1, SUFFIXES + 1))
    suffixes = [pair(end, front) for end in ends]
    ending = pair(ids(change.ending), front)
    whole = pair(ending, ids(change.dropped))
    among = pair(whole, others)
    before = ids(behind(change.forms, np.maximum(change.stem - 1, 0)))
    return [*suffixes, ending, whole, among, pair(among, before), pair(whole, before)]


def ids(column: pa.ChunkedArray) -> Ints:
    """Equal values as equal numbers from 0, by first appearance, (n,)."""
    numbers: Ints = column.dictionary_encode().combine_chunks().indices.to_numpy().astype(np.int64)
    return numbers


def pair(one: Ints, other: Ints) -> Ints:
    """Ids of pairs of numbers from 0, (n,)."""
    return ids(pa.chunked_array([one * (int(other.max(initial=0)) + 1) + other]))


def _estimate(
    result: Doubts, levels: list[Level], label: Ints, lemma: Ints, form: Ints, cells: Ints, low: Ints
) -> None:
    """Estimates in turn which of the ``low`` rows are wrong and what errors are like."""
    labels = len(result.labels)
    *views, (alike, own) = [[_Counts.of(group, low, label, labels) for group in level] for level in levels]
    stated, of_lemma, place = label[low], lemma[low], np.arange(len(low))
    of_form = pair(lemma, form)
    other_rows, of_form = (_size(lemma) - _size(of_form))[low], of_form[low]
    wrong, weights = np.zeros(len(low)), np.ones(len(label))
    share, errors = np.full(len(low), FIRST_SHARE), np.full((labels, labels), 1 / (labels - 1))
    for _ in range(ROUNDS):
        true = _distribution(views, _sums(label, weights, labels), weights)  # (low, labels)
        support = true[place, stated]
        true[place, stated] = 0
        as_error = (true * errors[:, stated].T).sum(1)
        before, wrong = wrong, share * as_error / (share * as_error + (1 - share) * support)
        # An odd row among good ones is no better for their company, so a lemma's share only ever raises.
        overall = max(wrong.sum() / len(label), LEAST_SHARE)
        # Its company are other forms: cells that share one form are one piece of evidence.
        company = wrong * (wrong > support)
        beside = _sums(of_lemma, company, 0)[of_lemma] - _sums(of_form, company, 0)[of_form]
        share = (beside + LEMMA_PRIOR * overall) / (other_rows + LEMMA_PRIOR)
        share = np.clip(share, overall, 1 - LEAST_SHARE)
        blamed = true / np.maximum(true.sum(1, keepdims=True), TINY) * wrong[:, None]
        errors = np.stack([_sums(stated, column, labels) for column in blamed.T])  # (true, stated)
        errors += ERRORS_PRIOR / labels / (labels - 1)
        errors /= errors.sum(1, keepdims=True)
        weights[low] = 1 - wrong
        if np.abs(wrong - before).max() < STILL:
            break
    result.wrong[low], result.support[low], result.likelier[low] = wrong, support, true.argmax(1)
    result.evidence[low] = np.log(np.maximum(as_error, TINY)) - np.log(np.maximum(support, TINY))
    every = np.ones(len(label))
    counts = (alike.count(every) - own.count(every)).astype(np.int64)
    picked = [counts.sum(1), counts[place, stated], counts[place, true.argmax(1)]]
    result.witnesses[low] = np.stack(picked, axis=1)
    found = (wrong >= WRONG) & (support < UNSUPPORTED)
    # A change that no other lemma has after this symbol may be one of a small declension; unless the likelier
    # value is missing in the paradigm.
    missing = ~np.isin(cells[low] * labels + true.argmax(1), cells * labels + label)
    witnessed = _sums(of_lemma, found & (counts.sum(1) > 0), 0)[of_lemma] > 0
    result.suspicious[low] = found & (witnessed | missing)


@dataclass(frozen=True)
class _Counts:
    """Counts labels in the groups that some rows belong to."""

    members: Ints  # rows of all those groups
    cells: Ints  # (members,) group and label
    place: Ints  # (low,)
    shape: tuple[int, int]

    @classmethod
    def of(cls, group: Ints, low: Ints, label: Ints, labels: int) -> _Counts:
        wanted, place = np.unique(group[low], return_inverse=True)
        renamed = np.full(int(group.max()) + 1, -1)
        renamed[wanted] = np.arange(len(wanted))
        members = np.flatnonzero(renamed[group] >= 0)
        return cls(members, renamed[group[members]] * labels + label[members], place, (len(wanted), labels))

    def count(self, weights: Floats) -> Floats:
        """Weighted rows of each label in the group of each row, (low, labels)."""
        counts = _sums(self.cells, weights[self.members], self.shape[0] * self.shape[1])
        of_row: Floats = counts.reshape(self.shape)[self.place]
        return of_row


def _support(levels: list[Level], label: Ints, labels: int) -> Floats:
    """Share of each row's label among other lemmas' rows, the particular smoothed by the general."""
    share: Floats = (np.bincount(label, minlength=labels) / len(label))[label]
    for (context, within), trust in zip(levels, TRUST, strict=True):
        same = _size(pair(context, label)) - _size(pair(within, label))
        share = (same + trust * share) / (_size(context) - _size(within) + trust)
    return share


def _size(group: Ints) -> Ints:
    """The size of each row's group, (n,)."""
    return np.bincount(group)[group]


def _sums(group: Ints, values: Floats, groups: int) -> Floats:
    """The sum of the values of each group, (groups,)."""
    return np.bincount(group, values, groups).astype(np.float64)


def _distribution(views: list[list[_Counts]], prior: Floats, weights: Floats) -> Floats:
    """The same for every label, (low, labels)."""
    shares: Floats = (prior / prior.sum())[None]
    for (context, within), trust in zip(views, TRUST, strict=True):
        counts = np.maximum(context.count(weights) - within.count(weights), 0)
        shares = (counts + trust * shares) / (counts.sum(1, keepdims=True) + trust)
    return shares
