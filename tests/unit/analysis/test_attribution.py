from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from esetrag.analysis import attribution
from esetrag.core import config, tables
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.network import Network
from esetrag.models.ngram import NgramClassifier
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import UNK, Unit, Vocabulary
from esetrag.training import trainer

pytestmark = pytest.mark.usefixtures("single_thread")

CPU = torch.device("cpu")


@pytest.fixture
def ngram(given: config.Params, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary) -> Network:
    """A linear reader of the tiny rows."""
    model = given.model.model_copy(update={"kind": "ngram"})
    how = given.train.model_copy(update={"device": "cpu", "iterations": 5, "analogies": 0})
    return trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, model, how).network


@pytest.fixture
def lemmas(
    given: config.Params, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, tiny_rows: pa.Table
) -> Network:
    """A linear reader that asks the lemmas too."""
    model = given.model.model_copy(update={"kind": "ngram", "lemmas": 1.5})
    how = given.train.model_copy(update={"device": "cpu", "iterations": 5, "analogies": 0})
    analogies = Analogies.of(tiny_rows, tiny_vocabulary)
    return trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, model, how, analogies).network


@pytest.fixture(params=["ngram", "lemmas", "tiny_network"])
def network(request: pytest.FixtureRequest) -> Network:
    """A reader of each kind that knows the tiny rows."""
    found: Network = request.getfixturevalue(request.param)
    return found


def two_likeliest(network: Network, encoded: Encoded) -> tuple[Batch, Tensor, Tensor, Tensor]:
    """The rows, their two likeliest labels, and the difference of those labels' logits."""
    logits = score(network, Batch.of(encoded, CPU))
    best = logits.topk(2)
    rows = Batch.of(encoded, CPU)[torch.arange(len(encoded))]
    return rows, best.indices[:, 0], best.indices[:, 1], best.values[:, 0] - best.values[:, 1]


def test_letters_and_rest_add_up_to_the_difference_of_the_logits(
    network: Network, tiny_encoded: Encoded
) -> None:
    rows, label, against, difference = two_likeliest(network, tiny_encoded)
    found = attribution.attribute(network, rows, label, against)
    missed = (found.symbols.sum(1) + found.rest - difference).abs().max()
    assert missed < (1e-4 if isinstance(network, NgramClassifier) else 2 * attribution.TOLERANCE)


def test_marks_and_padding_have_no_share(network: Network, tiny_encoded: Encoded) -> None:
    rows, label, against, _ = two_likeliest(network, tiny_encoded)
    found = attribution.attribute(network, rows, label, against).symbols
    place = torch.arange(found.shape[1])
    outside = (place == 0) | (place >= rows.lengths[:, None] - 1)
    assert not found[outside].any()
    assert found[~outside].any()


def test_against_the_other_way_round_the_scores_change_sign(network: Network, tiny_encoded: Encoded) -> None:
    rows, label, against, _ = two_likeliest(network, tiny_encoded)
    one = attribution.attribute(network, rows, label, against)
    other = attribution.attribute(network, rows, against, label)
    torch.testing.assert_close(one.symbols, -other.symbols, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(one.rest, -other.rest)


def test_the_suffix_tells_the_case_and_not_the_stem(network: Network, tiny_encoded: Encoded) -> None:
    """The tiny rows are stems of four to six letters and suffixes that name the case."""
    rows, label, against, _ = two_likeliest(network, tiny_encoded)
    long = rows.lengths >= 9
    found = attribution.attribute(network, rows, label, against).symbols[long]
    ends = rows.lengths[long] - 1
    suffix = torch.stack([line[end - 3 : end].sum() for line, end in zip(found, ends, strict=True)])
    stem = torch.stack([line[1 : end - 3].sum() for line, end in zip(found, ends, strict=True)])
    assert len(suffix) > 10
    assert suffix.mean() > 2 * stem.abs().mean()


@pytest.fixture
def wide(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> pa.Table:
    """Predictions by chance: most are wrong, and no two rows are alike."""
    return predictions(tiny_rows, tiny_vocabulary, np.random.default_rng(3).dirichlet(np.ones(7), 84))


def predictions(rows: pa.Table, vocabulary: Vocabulary, shares: npt.NDArray[np.float64]) -> pa.Table:
    schema = tables.predictions(list(vocabulary.labels))
    read = pa.array(vocabulary.labels).take(pa.array(shares.argmax(1)))
    vectors = pa.array(shares.astype(np.float32).tolist(), schema.field("probabilities").type)
    columns = [*rows.columns, read, read, pa.array(shares.max(1).astype(np.float32)), vectors]
    return pa.Table.from_arrays(columns, schema=schema)


def look(
    network: Network, encoded: Encoded, wide: pa.Table, vocabulary: Vocabulary, seed: int = 1
) -> pa.Table:
    return attribution.table(network, encoded, wide, vocabulary, seed)


def test_all_misread_forms_and_one_right_of_each_label_are_looked_at(
    ngram: Network, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, wide: pa.Table
) -> None:
    rows = look(ngram, tiny_encoded, wide, tiny_vocabulary).to_pylist()
    wrong = [row for row in rows if row["label"] != row["predicted"]]
    right = [row for row in rows if row["label"] == row["predicted"]]
    misread = [row for row in wide.to_pylist() if row["label"] != row["predicted"]]
    misread.sort(key=lambda row: (-row["probability"], row["form"]))
    assert [row["form"] for row in wrong] == [row["form"] for row in misread]
    assert all(row["against"] == row["label"] for row in wrong), "held against the true label"
    assert [row["predicted"] for row in right] == sorted({row["predicted"] for row in right})
    assert all(row["against"] != row["predicted"] for row in right)
    assert all(len(row["letters"]) == len(row["form"]) for row in rows)


def test_the_bound_holds_and_the_surest_stay(
    ngram: Network,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    wide: pa.Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = look(ngram, tiny_encoded, wide, tiny_vocabulary).to_pylist()
    monkeypatch.setattr(attribution, "MISREAD", 5)
    rows = look(ngram, tiny_encoded, wide, tiny_vocabulary).to_pylist()
    misread = [row["form"] for row in rows if row["label"] != row["predicted"]]
    assert misread == [row["form"] for row in whole[:5]]


def test_the_same_forms_are_drawn_each_time_and_others_by_another_seed(
    ngram: Network,
    tiny_rows: pa.Table,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
) -> None:
    right = predictions(tiny_rows, tiny_vocabulary, tiny_encoded.targets.astype(float))
    drawn = look(ngram, tiny_encoded, right, tiny_vocabulary)
    assert drawn.schema.equals(tables.ATTRIBUTIONS)
    assert len(drawn) == 7
    assert drawn.equals(look(ngram, tiny_encoded, right, tiny_vocabulary))
    assert not drawn.equals(look(ngram, tiny_encoded, right, tiny_vocabulary, seed=2))


def test_letters_that_were_not_read_have_no_share(
    ngram: Network, tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, wide: pa.Table
) -> None:
    for keep in ("end", "start"):
        cut = encoding.encode_rows(tiny_rows, tiny_vocabulary, 5, keep)
        for row in look(ngram, cut, wide, tiny_vocabulary).to_pylist():
            read, letters = slice(-3, None) if keep == "end" else slice(3), row["letters"]
            unread = letters[:-3] if keep == "end" else letters[3:]
            assert len(letters) == len(row["form"])
            assert not any(unread)
            assert any(letters[read]) or not any(letters)


def test_a_label_unseen_in_training_is_held_against_the_runner_up(
    ngram: Network, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, wide: pa.Table
) -> None:
    unseen = replace(tiny_encoded, targets=np.zeros((84, 7), dtype=bool))
    for row in look(ngram, unseen, wide, tiny_vocabulary).to_pylist():
        assert row["against"] == ranked(wide, row["form"])[1]


def test_of_several_true_values_the_likeliest_is_held_against_and_none_if_one_is_read(
    ngram: Network, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, wide: pa.Table
) -> None:
    targets = tiny_encoded.targets.copy()
    targets[:, :2] = True
    first = set(tiny_vocabulary.labels[:2])
    rows = look(ngram, replace(tiny_encoded, targets=targets), wide, tiny_vocabulary).to_pylist()
    own = {row["form"]: {row["label"]} | first for row in wide.to_pylist()}
    for row in rows:
        true, order = own[row["form"]], ranked(wide, row["form"])
        rivals = [label for label in order if (label in true) == (row["predicted"] not in true)]
        assert row["against"] == rivals[0]


def ranked(wide: pa.Table, form: str) -> list[str]:
    """The labels of a form, the likeliest first."""
    labels = wide.schema.metadata[b"labels"].decode().split("\t")
    shares = {row["form"]: row["probabilities"] for row in wide.to_pylist()}[form]
    return [labels[column] for column in np.argsort(shares)[::-1]]


@pytest.mark.parametrize(("unit", "merges"), [("bpe", 15), ("word", 0)])
def test_letters_of_one_symbol_share_its_score(
    given: config.Params, tiny_rows: pa.Table, unit: Unit, merges: int
) -> None:
    forms, labels = (tiny_rows[name].to_pylist() for name in ("form", "label"))
    known = Vocabulary.build(forms[::2], labels, 1, unit, merges)
    encoded = encoding.encode_rows(tiny_rows, known, 12, "end")
    how = given.train.model_copy(update={"device": "cpu", "iterations": 5, "analogies": 0})
    network = trainer.fit(encoded, encoded, known, given.model, how).network
    shares = torch.softmax(score(network, Batch.of(encoded, CPU)), 1).numpy()
    read = np.array(known.labels)[shares.argmax(1)]
    columns = [*tiny_rows.columns, pa.array(read), pa.array(read), pa.array(shares.max(1))]
    values = pa.FixedSizeListArray.from_arrays(pa.array(shares.ravel()), len(known.labels))
    names = [*tables.SAMPLE.names, "predicted", "predicted_set", "probability", "probabilities"]
    wide = pa.table(dict(zip(names, [*columns, values], strict=True)))
    for row in attribution.table(network, encoded, wide, known, 1).to_pylist():
        ids, _ = encoding.segmented(pa.chunked_array([pa.array([row["form"]])]), known)
        sizes = [
            len(known.symbols[i]) if i != UNK else len(row["form"]) if unit == "word" else 1 for i in ids
        ]
        assert len(row["letters"]) == len(row["form"]) == sum(sizes)
        starts = np.cumsum([0, *sizes[:-1]])
        assert np.repeat(np.array(row["letters"])[starts], sizes).tolist() == row["letters"]
