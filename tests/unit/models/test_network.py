from __future__ import annotations

import pytest

from esetrag.core import config
from esetrag.models import network
from esetrag.models.bilstm import BiLSTM
from esetrag.models.ngram import NgramClassifier

LEMMAS = {
    "inflection.endings": (4,),
    "inflection.value": (6,),
    "inflection.tail": (6, 2),
    "inflection.keys": (9,),
    "inflection.lemmas.keys": (7,),
}
KINDS = {"ngram": NgramClassifier, "lstm": BiLSTM}


def shape(given: config.Params, kind: str) -> config.Model:
    sizes = {"kind": kind, "embedding": 5, "hidden": 7, "layers": 2}
    return config.Model.model_validate(given.model.model_dump() | sizes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grams", [0, 1, 12])
@pytest.mark.parametrize("lemmas", [{}, LEMMAS], ids=["alone", "with lemmas"])
def test_the_shapes_told_are_those_of_the_network_made(
    given: config.Params, kind: str, grams: int, lemmas: dict[str, tuple[int, ...]]
) -> None:
    sizes = (11, 3, shape(given, kind), {"grams": (grams,)} | lemmas)
    made = network.empty(*sizes)
    assert type(made) is KINDS[kind]
    assert {name: tuple(weight.shape) for name, weight in made.state_dict().items()} == network.shapes(*sizes)
    assert made.labels == 3


def test_n_grams_size_the_kind_that_has_them_alone(given: config.Params) -> None:
    def sizes(kind: str, symbols: int, grams: int) -> dict[str, tuple[int, ...]]:
        return network.shapes(symbols, 3, shape(given, kind), {"grams": (grams,)})

    assert sizes("ngram", 11, 5) == sizes("ngram", 12, 5) != sizes("ngram", 11, 6)
    assert sizes("lstm", 11, 5) == sizes("lstm", 11, 6) != sizes("lstm", 12, 5)


def test_shapes_are_told_of_what_no_memory_holds(given: config.Params) -> None:
    found = {"grams": (10**12,)}
    assert network.shapes(11, 10**9, shape(given, "ngram"), found)["weight"] == (10**12 + 1, 10**9)


@pytest.mark.parametrize("name", LEMMAS)
def test_what_is_one_number_is_not_taken_for_a_table(given: config.Params, name: str) -> None:
    told = network.shapes(11, 3, shape(given, "ngram"), LEMMAS | {name: ()})
    assert told[name] != ()
