from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from esetrag.core import tables
from esetrag.data import label_sets
from esetrag.models.lemma_prior import change_model
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.lemma_prior.change_model import REACH, ChangeModel
from esetrag.models.lemma_prior.prior import CAUTION, SURE, LemmaPrior
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

pytestmark = pytest.mark.usefixtures("single_thread")

CASES: dict[str, Callable[[str], str]] = {
    "NOM": lambda lemma: lemma,
    "ACC": lambda lemma: lemma[:-1] + "át" if lemma.endswith("a") else lemma + "t",
    "DAT": lambda lemma: lemma[:-1] + "ának" if lemma.endswith("a") else lemma + "nak",
}
LEMMAS = ["alma", "gara", "kapa", "kari", "piri", "gyuri", "garnit", "dolomit", "grafit", "bazalt", "kabát"]


def table_of(rows: list[tuple[str, str, str]]) -> pa.Table:
    columns = [pa.array([*column], pa.string()) for column in zip(*rows, strict=True)]
    lemma, form, label = columns
    return tables.sample(lemma, form, label, label)


ROWS = table_of([(lemma, inflected(lemma), case) for lemma in LEMMAS for case, inflected in CASES.items()])


def vocabulary_of(rows: pa.Table) -> Vocabulary:
    return Vocabulary.build([*rows["form"].to_pylist(), "xyz"], rows["label"].to_pylist())


def learnt(rows: pa.Table, weight: float = 1.0) -> LemmaPrior:
    vocabulary = vocabulary_of(rows)
    targets = torch.from_numpy(label_sets.matrix(rows["label"], vocabulary.labels))
    found = LemmaPrior.fit(Analogies.of(rows, vocabulary), targets, weight)
    assert found is not None
    assert found.sound()
    return found


def encoded(
    forms: list[str], width: int | None = None, vocabulary: Vocabulary | None = None
) -> tuple[Tensor, Tensor]:
    column = pa.chunked_array([pa.array(forms, pa.string())])
    vocabulary = vocabulary or vocabulary_of(ROWS)
    ids, lengths = encoding.encode(column, vocabulary, width or encoding.width_of(column, None), "end")
    return torch.from_numpy(ids), torch.from_numpy(lengths.astype(np.int64))


def likeliest(inflection: LemmaPrior, forms: list[str]) -> list[str]:
    labels = vocabulary_of(ROWS).labels
    return [labels[best] for best in inflection.joint(*encoded(forms)).argmax(1).tolist()]


def test_a_form_is_read_by_what_is_likelier_a_lemma() -> None:
    forms = ["kornit", "marit", "almát", "kabát", "lapa", "lapának", "dolomitnak"]
    assert likeliest(learnt(ROWS), forms) == ["NOM", "ACC", "ACC", "NOM", "NOM", "DAT", "DAT"]


def test_what_a_lemma_loses_is_put_back() -> None:
    """After a the accusative is át, so that of a lemma in -át has no other reading than its own."""
    shares = torch.softmax(learnt(ROWS).joint(*encoded(["kabátot", "garát"])), 1)
    accusative = vocabulary_of(ROWS).label_ids["ACC"]
    assert float(shares[1, accusative]) > 0.5


def test_a_change_never_seen_leaves_all_values_possible() -> None:
    inflection = learnt(ROWS)
    logs = torch.log_softmax(inflection.joint(*encoded(["xyzxyz", "x", "", "almaxxxxxxxxxxxxxxx"])), 1)
    assert bool(torch.isfinite(logs).all())


def test_padding_and_rows_beside_are_without_influence() -> None:
    inflection = learnt(ROWS)
    forms = ["kornit", "almának", "", "a", "dolomitnak"]
    together = inflection.joint(*encoded(forms))
    ids, lengths = encoded(forms, 20)
    filled = ids.masked_fill(torch.arange(20) >= lengths[:, None], 7)
    torch.testing.assert_close(inflection.joint(filled, lengths), together)
    for row, form in enumerate(forms):
        torch.testing.assert_close(inflection.joint(*encoded([form]))[0], together[row])


def test_words_inflected_at_the_beginning_are_read_from_there() -> None:
    turned = table_of([(row["lemma"][::-1], row["form"][::-1], row["label"]) for row in ROWS.to_pylist()])
    backwards = learnt(turned)
    assert bool(backwards.backwards)
    forms = ["kornit", "marit", "lapának"]
    there = backwards.joint(*encoded([form[::-1] for form in forms]))
    torch.testing.assert_close(there, learnt(ROWS).joint(*encoded(forms)))


def test_a_form_of_several_values_teaches_each() -> None:
    rows = [(lemma, lemma, "NOM") for lemma in LEMMAS]
    both = table_of(rows + [(lemma, lemma + "xt", "ACC/DAT") for lemma in LEMMAS])
    vocabulary = vocabulary_of(both)
    logs = learnt(both).joint(*encoded(["gurixt"], vocabulary=vocabulary))[0]
    assert vocabulary.labels == ("ACC", "DAT", "NOM")
    assert float(logs[0]) == pytest.approx(float(logs[1]), abs=1e-5)
    assert float(logs[0]) > float(logs[2])


def test_the_usual_weight_falls_with_the_share_of_changes_that_stand_alone() -> None:
    targets = label_sets.matrix(ROWS["label"], vocabulary_of(ROWS).labels)
    once = ChangeModel.of(Analogies.of(ROWS, vocabulary_of(ROWS)), targets).once
    np.testing.assert_allclose(once, 0.5 / (len(LEMMAS) + 1))
    expected = 3 * (1 + SURE * (1 - once.mean()) ** CAUTION)
    assert float(learnt(ROWS, 3.0).weight) == pytest.approx(expected, rel=1e-5)
    few = table_of([("alma", "almát", "ACC"), ("kari", "karinak", "DAT"), ("piri", "piri", "NOM")])
    assert float(learnt(few, 3.0).weight) == pytest.approx(3, rel=1e-5)
    assert float(learnt(few).doubt) > 0.5 > float(learnt(ROWS).doubt)


def test_what_is_added_are_log_shares_or_each_values_own_odds() -> None:
    inflection = learnt(ROWS, 2.0)
    rows = encoded(["kornit", "marit", "almának"])
    doubt = inflection.doubt
    shares = (torch.softmax(inflection.joint(*rows), 1) + doubt) / (1 + 3 * doubt)
    weight = inflection.weight
    torch.testing.assert_close(inflection(*rows, "softmax"), weight * shares.log())
    torch.testing.assert_close(inflection(*rows, "sigmoid"), weight * (shares / (1 - shares)).log())


def test_rows_of_endings_out_of_reach_are_passed_over() -> None:
    long = table_of([("alma", "alma" + "x" * (REACH + 1), "NOM")])
    analogies = Analogies.of(long, vocabulary_of(long))
    assert LemmaPrior.fit(analogies, torch.ones(1, 1, dtype=torch.bool), 1.0) is None


def test_tables_made_for_loading_hold_what_was_learnt() -> None:
    inflection = learnt(ROWS)
    weights = inflection.state_dict()
    found = {name: tuple(table.shape) for name, table in weights.items()}
    assert LemmaPrior.shapes(found, 3) == found
    empty = LemmaPrior.empty(found, 3)
    assert {name: table.dtype for name, table in empty.state_dict().items()} == {
        name: table.dtype for name, table in weights.items()
    }
    empty.load_state_dict(weights)
    rows = encoded(["kornit", "marit"])
    assert torch.equal(empty.joint(*rows), inflection.joint(*rows))


@pytest.mark.parametrize("name", ["endings", "keys", "lemmas.keys", "first", "value"])
def test_tables_that_a_look_up_would_go_wrong_in_are_not_sound(name: str) -> None:
    inflection = learnt(ROWS)
    table = inflection.get_buffer(name)
    table[1] = {"value": 99, "first": -1}.get(name, int(table[0]))
    assert not inflection.sound()


def test_tables_without_the_ending_of_no_symbol_are_not_sound() -> None:
    inflection = learnt(ROWS)
    nothing = int(change_model.endings(np.zeros((1, 0), np.int64))[0, 0])
    inflection.endings[inflection.endings == nothing] += 1
    assert not inflection.sound()
