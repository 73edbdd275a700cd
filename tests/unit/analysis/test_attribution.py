from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import torch

from esetrag.analysis import attribution
from esetrag.core import config, tables
from esetrag.models.network import Network, score
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import UNK, Unit, Vocabulary
from esetrag.training import trainer
from esetrag.training.data import Data
from tests.samples import NO_LEMMAS

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def network(given: config.Params, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary) -> Network:
    return trained(given, tiny_encoded, tiny_vocabulary)


def trained(given: config.Params, encoded: Encoded, vocabulary: Vocabulary) -> Network:
    model = given.models["ngram"]
    assert isinstance(model, config.NgramModel)
    resolved = config.Resolved("ngram", [model.model_copy(update={"iterations": 5})], lemmas=False)
    options = given.train.model_copy(update={"device": "cpu", "analogies": 0})
    return trainer.fit(Data(encoded, encoded, vocabulary, NO_LEMMAS), resolved, options).network


def predictions(rows: pa.Table, vocabulary: Vocabulary, shares: npt.NDArray[np.floating]) -> pa.Table:
    schema = tables.predictions(list(vocabulary.labels))
    predicted = pa.array(vocabulary.labels).take(pa.array(shares.argmax(1)))
    vectors = pa.array(shares.astype(np.float32).tolist(), schema.field("probabilities").type)
    top = pa.array(shares.max(1).astype(np.float32))
    columns = [*rows.select(tables.ROWS.names).columns, predicted, predicted, top, vectors]
    return pa.Table.from_arrays(columns, schema=schema)


@pytest.fixture
def random(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> pa.Table:
    """Predictions by chance: most are wrong, and no two rows are alike."""
    return predictions(tiny_rows, tiny_vocabulary, np.random.default_rng(3).dirichlet(np.ones(7), 84))


def ranked(table: pa.Table, form: str) -> list[str]:
    """The labels of a form, the most probable first."""
    labels = table.schema.metadata[b"labels"].decode().split("\t")
    shares = {row["form"]: row["probabilities"] for row in table.to_pylist()}[form]
    return [labels[column] for column in np.argsort(shares)[::-1]]


def wrong(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["label"] != row["predicted"]]


def test_all_errors_and_one_correct_form_of_each_label_are_explained(
    network: Network,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    random: pa.Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = attribution.table(network, tiny_encoded, random, tiny_vocabulary, 1).to_pylist()
    errors = sorted(wrong(random.to_pylist()), key=lambda row: (-row["probability"], row["form"]))
    assert [row["form"] for row in wrong(rows)] == [row["form"] for row in errors]
    assert all(row["against"] == row["label"] for row in wrong(rows)), "the true label"
    correct = [row for row in rows if row["label"] == row["predicted"]]
    assert [row["predicted"] for row in correct] == sorted({row["predicted"] for row in correct})
    assert all(row["against"] == ranked(random, row["form"])[1] for row in correct), "the runner-up"
    assert all(len(row["letters"]) == len(row["form"]) for row in rows)
    monkeypatch.setattr(attribution, "ERRORS", 5)
    fewer = attribution.table(network, tiny_encoded, random, tiny_vocabulary, 1).to_pylist()
    assert wrong(fewer) == rows[:5]


def test_the_same_correct_forms_are_drawn_each_time_and_others_by_another_seed(
    network: Network, tiny_rows: pa.Table, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary
) -> None:
    correct = predictions(tiny_rows, tiny_vocabulary, tiny_encoded.targets.astype(float))
    one, again, other = (
        attribution.table(network, tiny_encoded, correct, tiny_vocabulary, seed) for seed in (1, 1, 2)
    )
    assert one.schema.equals(tables.ATTRIBUTIONS)
    assert len(one) == 7
    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize("keep", ["end", "start"])
def test_letters_that_were_cut_off_contribute_nothing(
    network: Network,
    tiny_rows: pa.Table,
    tiny_vocabulary: Vocabulary,
    random: pa.Table,
    keep: encoding.Keep,
) -> None:
    cut = encoding.encode_rows(tiny_rows, tiny_vocabulary, 5, keep)
    rows = attribution.table(network, cut, random, tiny_vocabulary, 1).to_pylist()
    assert all(len(row["letters"]) == len(row["form"]) for row in rows)
    outside = [row["letters"][:-3] if keep == "end" else row["letters"][3:] for row in rows]
    assert not any(any(letters) for letters in outside)
    assert any(any(row["letters"]) for row in rows)


def test_against_a_label_of_several_the_most_probable_true_one_stands_for_all(
    network: Network, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, random: pa.Table
) -> None:
    targets = tiny_encoded.targets.copy()
    targets[:, :2] = True
    encoded = replace(tiny_encoded, targets=targets)
    true = {row["form"]: {row["label"], *tiny_vocabulary.labels[:2]} for row in random.to_pylist()}
    for row in attribution.table(network, encoded, random, tiny_vocabulary, 1).to_pylist():
        own = true[row["form"]]
        rivals = [x for x in ranked(random, row["form"]) if (x in own) == (row["predicted"] not in own)]
        assert row["against"] == rivals[0]


@pytest.mark.parametrize(("unit", "merges"), [("bpe", 15), ("word", 0)])
def test_letters_of_one_symbol_share_its_contribution(
    given: config.Params, tiny_rows: pa.Table, unit: Unit, merges: int
) -> None:
    forms, labels = (tiny_rows[name].to_pylist() for name in ("form", "label"))
    vocabulary = Vocabulary.build(forms[::2], labels, 1, unit, merges)
    encoded = encoding.encode_rows(tiny_rows, vocabulary, 12, "end")
    network = trained(given, encoded, vocabulary)
    logits = score(network, Batch.of(encoded, torch.device("cpu")))
    scores = dict(zip(forms, logits.tolist(), strict=True))
    table = predictions(tiny_rows, vocabulary, torch.softmax(logits, 1).numpy())
    for row in attribution.table(network, encoded, table, vocabulary, 1).to_pylist():
        ids, _ = encoding.segmented(pa.chunked_array([pa.array([row["form"]])]), vocabulary)
        unknown = len(row["form"]) if unit == "word" else 1
        sizes = [unknown if i == UNK else len(vocabulary.symbols[i]) for i in ids]
        assert len(row["letters"]) == len(row["form"]) == sum(sizes)
        starts = np.cumsum([0, *sizes[:-1]])
        assert np.repeat(np.array(row["letters"])[starts], sizes).tolist() == row["letters"]
        label, against = (
            scores[row["form"]][vocabulary.labels.index(row[x])] for x in ("predicted", "against")
        )
        assert sum(row["letters"]) + row["rest"] == pytest.approx(label - against, abs=1e-3)
