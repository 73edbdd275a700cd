"""What a reader trained with the defaults on the committed data can be relied on to do."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import config
from esetrag.data import sampling, unimorph
from esetrag.data.selection import select
from esetrag.models import checkpoint
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.predict.predictor import Predictor
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import evaluation
from esetrag.training import trainer
from tests.project import REPO

GIVEN = config.load(REPO / "params.yaml")
STEMS = {"ház": "a", "asztal": "a", "ember": "e", "kert": "e", "barát": "a", "füzet": "e"}
ENDINGS = {
    "IN+ESS": ("ban", "ben"), "IN+ABL": ("ból", "ből"), "IN+ALL": ("ba", "be"), "DAT": ("nak", "nek"),
    "AT+ABL": ("tól", "től"), "ON+ABL": ("ról", "ről"), "ON+ALL": ("ra", "re"), "AT+ALL": ("hoz", "hez"),
    "AT+ESS": ("nál", "nél"), "FRML": ("ként", "ként"), "TERM": ("ig", "ig"), "PRP": ("ért", "ért"),
}  # fmt: skip


@pytest.fixture(scope="module")
def parts() -> dict[str, pa.Table]:
    raw = REPO / "data/raw/hun.tsv.gz"
    selection = select(unimorph.read(raw), raw, "N", "Case")
    return sampling.draw(sampling.split(selection.table, GIVEN.sample), GIVEN.sample)


@pytest.fixture(scope="module")
def reader(parts: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    train = parts["train"]
    vocabulary = Vocabulary.build(train["form"].to_pylist(), train["label"].to_pylist())
    width = encoding.width_of(train["form"], None)
    rows, dev = (encoding.encode_rows(parts[part], vocabulary, width, "end") for part in ("train", "dev"))
    how = GIVEN.train.model_copy(update={"device": "cpu"})
    trained = trainer.fit(rows, dev, vocabulary, GIVEN.model, how, Analogies.of(train, vocabulary))
    folder: Path = tmp_path_factory.mktemp("model")
    scores = trainer.logits(trained.network, dev)
    fitted = calibration.fit(scores, dev.targets, GIVEN.model.head, GIVEN.calibration)
    account = {"threads": 1, "seed": 1, "repeats": 0}
    checkpoint.save(folder, trained.network, vocabulary, rows, GIVEN.model, account, fitted)
    return Predictor.load(folder)


def test_it_beats_all_baselines_beyond_their_intervals(reader: Predictor, parts: dict[str, pa.Table]) -> None:
    width = reader.checkpoint.manifest.encoding.width
    encoded = encoding.encode_rows(parts["test"], reader.checkpoint.vocabulary, width, "end")
    figures = evaluation.evaluate(
        parts, {"ngram": reader.output(encoded)}, reader.labels, GIVEN.evaluate, GIVEN.calibration
    ).figures
    models = figures["models"]
    assert models["ngram"]["low"] > models["longest_suffix"]["high"] > models["majority"]["high"]
    assert figures["lead"]["low"] > 0, "logistic regression is beaten too"
    assert figures["lead"]["on"] == "logistic_regression"
    assert models["ngram"]["accuracy"] > 0.98
    assert figures["upper_bound"]["accuracy"] >= models["ngram"]["accuracy"]


def test_it_reads_the_words_of_the_readme_as_the_readme_says(reader: Predictor) -> None:
    weights = sum(parameter.numel() for parameter in reader.checkpoint.network.parameters())
    assert f"{weights:,} weights" in (REPO / "README.md").read_text("utf-8")
    (_, block, *_) = (REPO / "README.md").read_text("utf-8").split("```")
    command, *lines = block.splitlines()[1:]
    words = [word for word in command.split()[3:] if word in {line.split()[0] for line in lines}]
    assert [line.split()[:2] for line in lines] == [[r.form, r.labels[0]] for r in reader.predict(words)]


@pytest.mark.parametrize("label", ENDINGS)
def test_plain_words_of_every_case(reader: Predictor, label: str) -> None:
    words = [stem + ENDINGS[label][vowel == "e"] for stem, vowel in STEMS.items()]
    assert [reading.labels[0] for reading in reader.predict(words)] == [label] * len(words)


def test_made_up_stems_take_the_case_of_their_ending(reader: Predictor) -> None:
    stems = ["blarg", "zsumpol", "kvant", "trüff"]
    words = [stem + ending for stem in stems for ending in ("ban", "ról", "tól", "nak")]
    expected = ["IN+ESS", "ON+ABL", "AT+ABL", "DAT"] * len(stems)
    assert [reading.labels[0] for reading in reader.predict(words)] == expected


def test_decomposed_letters_are_the_same_letters(reader: Predictor) -> None:
    words = ["házból", "kertről", "tűzhöz"]
    composed = reader.predict(words)
    decomposed = reader.predict([unicodedata.normalize("NFD", word) for word in words])
    assert [reading.probabilities for reading in composed] == [
        reading.probabilities for reading in decomposed
    ]


def test_the_company_of_a_word_does_not_change_its_reading(
    reader: Predictor, parts: dict[str, pa.Table]
) -> None:
    words = parts["test"]["form"].to_pylist()[:300]
    together = reader.predict(words, top_k=len(reader.labels))
    alone = [reader.predict([word], top_k=len(reader.labels))[0] for word in words]
    for one, other in zip(together, alone, strict=True):
        assert one.labels[0] == other.labels[0]
        np.testing.assert_allclose(sorted(one.probabilities), sorted(other.probabilities), atol=1e-5)


def test_unknown_symbols_are_named_and_long_words_are_read_by_their_ending(reader: Predictor) -> None:
    (foreign,) = reader.predict(["Würşthausból"])
    assert foreign.unknown == "ş"  # the dictionary has a w, so the capital is read as one
    assert foreign.labels[0] == "IN+ABL"
    (long,) = reader.predict(["megszentségteleníthetetlenségeskedéseitekként" * 20])
    assert long.labels[0] == "FRML"


def test_words_of_nothing_and_no_words(reader: Predictor) -> None:
    assert reader.predict([]) == []
    (empty,) = reader.predict([""])
    assert sum(reader.predict([""], top_k=99)[0].probabilities) == pytest.approx(1, abs=1e-5)
    assert empty.form == ""
