from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.data import label_sets
from esetrag.models.lemma_prior.change_model import REACH, ChangeModel
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.lemma_prior.unseen_endings import UnseenEndings
from esetrag.symbols.batch import Sequences
from esetrag.symbols.vocabulary import Vocabulary
from tests.samples import table, words

pytestmark = pytest.mark.usefixtures("single_thread")

CASES: dict[str, Callable[[str], str]] = {
    "NOM": lambda lemma: lemma,
    "ACC": lambda lemma: lemma[:-1] + "át" if lemma.endswith("a") else lemma + "t",
    "DAT": lambda lemma: lemma[:-1] + "ának" if lemma.endswith("a") else lemma + "nak",
}
LEMMAS = ["alma", "gara", "kapa", "kari", "piri", "gyuri", "garnit", "dolomit", "grafit", "bazalt", "kabát"]
ROWS = [(lemma, inflect(lemma), case) for lemma in LEMMAS for case, inflect in CASES.items()]
VOCABULARY = Vocabulary.build([*(form for _, form, _ in ROWS), "xyz"], CASES)


def decomposed(rows: pa.Table, vocabulary: Vocabulary = VOCABULARY) -> Decomposition:
    split = Decomposition.of(rows, vocabulary)
    assert split
    return split


def fitted(rows: list[tuple[str, str, str]] = ROWS, vocabulary: Vocabulary = VOCABULARY) -> LemmaPrior:
    targets = label_sets.matrix(table(rows)["label"], vocabulary.labels)
    prior = LemmaPrior.fit(decomposed(table(rows), vocabulary), torch.from_numpy(targets), "softmax")
    assert prior
    assert prior.is_sound()
    return prior


def shares(prior: LemmaPrior, form: str, vocabulary: Vocabulary = VOCABULARY) -> dict[str, float]:
    return dict(zip(vocabulary.labels, prior(words([form], vocabulary))[0].exp().tolist(), strict=True))


def test_forms_typed_without_accents_have_the_label_of_those_with_them() -> None:
    rows = table(ROWS)
    targets = torch.from_numpy(label_sets.matrix(rows["label"], VOCABULARY.labels))
    typed = Decomposition.of(rows, VOCABULARY, unaccented=True)
    assert typed
    accented = [any(letter in "áó" for letter in lemma + form) for lemma, form, _ in ROWS]
    assert typed.row.tolist() == [*range(len(ROWS)), *np.flatnonzero(accented)]
    prior = LemmaPrior.fit(typed, targets[typed.row], "softmax")
    assert prior
    for form in ("lapat", "lapát"):
        found = shares(prior, form)
        assert max(found, key=found.__getitem__) == "ACC"
    assert shares(prior, "lapanak")["DAT"] > shares(fitted(), "lapanak")["DAT"]


@pytest.mark.parametrize(
    ("form", "case"),
    [("kornit", "NOM"), ("marit", "ACC"), ("almát", "ACC"), ("kabát", "NOM"), ("lapának", "DAT"),
     ("garát", "ACC"), ("dolomitnak", "DAT")],
)  # fmt: skip
def test_the_label_is_that_of_the_more_probable_lemma(form: str, case: str) -> None:
    """Whether *-it* is a lemma or an accusative, endings alone cannot tell."""
    found = shares(fitted(), form)
    assert max(found, key=found.__getitem__) == case


@pytest.mark.parametrize("form", ["kornit", "xyzxyz", "x", "", "almaxxxxxxxxxxxxxxx"])
def test_the_probabilities_add_up_to_one_and_none_is_zero(form: str) -> None:
    found = shares(fitted(), form)
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert min(found.values()) > 0


def test_padding_and_the_other_rows_of_a_batch_change_nothing() -> None:
    prior, forms = fitted(), ["kornit", "almának", "", "a", "dolomitnak"]
    together = prior(words(forms, VOCABULARY))
    wider = words(forms, VOCABULARY, 20)
    ids = torch.nn.functional.pad(wider.source.ids, (0, 8))
    ids[torch.arange(ids.shape[1]) >= wider.source.lengths[:, None]] = 7
    filled = replace(wider, source=Sequences(ids, wider.source.lengths))
    torch.testing.assert_close(prior(filled), together)
    alone = [prior(words([form], VOCABULARY))[0] for form in forms]
    torch.testing.assert_close(torch.stack(alone), together)


def test_words_that_inflect_at_their_beginning_are_reversed() -> None:
    backwards = fitted([(lemma[::-1], form[::-1], case) for lemma, form, case in ROWS])
    for form in ("kornit", "marit", "lapának"):
        assert shares(backwards, form[::-1]) == pytest.approx(shares(fitted(), form))


def test_a_form_of_several_labels_counts_for_each() -> None:
    rows = [(lemma, lemma, "NOM") for lemma in LEMMAS] + [
        (lemma, lemma + "xt", "ACC/DAT") for lemma in LEMMAS
    ]
    found = shares(fitted(rows), "gurixt")
    assert found["ACC"] == pytest.approx(found["DAT"])
    assert found["ACC"] > found["NOM"]


def test_few_rows_whose_changes_are_all_different_are_trusted_less() -> None:
    few = fitted([("alma", "almát", "ACC"), ("kari", "karinak", "DAT"), ("piri", "piri", "NOM")])
    assert max(shares(few, "garnak").values()) < 0.6 < max(shares(fitted(), "garinak").values())


def test_with_a_sigmoid_the_logits_are_those_of_the_same_probabilities() -> None:
    targets = torch.from_numpy(label_sets.matrix(table(ROWS)["label"], VOCABULARY.labels))
    prior = LemmaPrior.fit(decomposed(table(ROWS)), targets, "sigmoid")
    assert prior
    rows = words(["kornit", "marit", "almának"], VOCABULARY)
    torch.testing.assert_close(torch.sigmoid(prior(rows)), fitted()(rows).exp(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "unit"),
    [([(None, "alma", "NOM"), ("kari", "karit", "ACC")], "char"), ([], "char"), (ROWS, "word")],
    ids=["a row without a lemma", "no rows", "whole words"],
)
def test_rows_without_lemmas_or_parts_are_not_split(
    rows: list[tuple[str | None, str, str]], unit: str
) -> None:
    vocabulary = Vocabulary.build(["alma"], CASES, unit=unit)  # type: ignore[arg-type]
    assert Decomposition.of(table(rows), vocabulary) is None


def test_endings_longer_than_the_reach_give_no_prior() -> None:
    split = decomposed(table([("alma", "alma" + "x" * (REACH + 1), "NOM")]))
    assert LemmaPrior.fit(split, torch.ones(1, 1, dtype=torch.bool), "softmax") is None


def test_changes_of_one_row_measure_how_many_are_unknown() -> None:
    targets = label_sets.matrix(table(ROWS)["label"], VOCABULARY.labels)
    once = ChangeModel.of(decomposed(table(ROWS)), targets).once
    np.testing.assert_allclose(once, 0.5 / (len(LEMMAS) + 1))


SYMBOLS = 10
CHANGES = [("", 0), ("5", 0), ("6", 0), ("25", 1), ("26", 1), ("2", 1)]


def endings_of(changes: list[tuple[str, int]]) -> UnseenEndings:
    """Fitted on endings of digits and their labels; an ending is named by a 1 and its digits."""
    names = [
        [int("1" + ending[len(ending) - size :]) if size else 1 for size in range(4)] for ending, _ in changes
    ]
    lengths, labels = [len(ending) for ending, _ in changes], [label for _, label in changes]
    return UnseenEndings.of(np.array(names), np.array(lengths), np.array(labels), 2, SYMBOLS)


def test_seen_and_unseen_changes_share_the_probability_of_their_label() -> None:
    prior = fitted()
    assert float((prior.seen.exp() + prior.unseen.exp()).sum()) == pytest.approx(1, abs=1e-6)


def test_an_ending_of_one_label_predicts_new_ones_of_that_label() -> None:
    endings = endings_of(CHANGES)
    names = endings.names.tolist()
    for ending in (125, 126):
        complete, extended = (part[names.index(ending)] for part in (endings.complete, endings.extended))
        assert complete[1] > 5 * complete[0]
        assert extended[1] > 2 * extended[0]  # what ends in 25 has label 1, whatever is before it
    assert endings.complete[names.index(15), 0] > 5 * endings.complete[names.index(15), 1]


def test_the_probabilities_of_all_endings_add_up_to_one() -> None:
    endings = endings_of(CHANGES)
    seen_before = {1: 3, 15: 1, 16: 1, 125: 0, 126: 0, 12: 0}  # how many symbols
    unseen = np.array([SYMBOLS - seen_before[name] for name in endings.names])
    total = endings.complete.sum(0) + (unseen[:, None] * endings.extended).sum(0)
    np.testing.assert_allclose(total, 1)
    steps = SYMBOLS ** np.arange(len(endings.extra))
    assert (endings.extra * steps).cumsum().tolist() == pytest.approx([0.5, 0.75, 0.875, 0.9375])
