"""What a model trained with the defaults on the committed data can be relied on to do."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.data import sampling, unimorph
from esetrag.data.selection import select
from esetrag.predict.predictor import Predictor
from esetrag.symbols import encoding
from esetrag.tasks import evaluation
from esetrag.tasks.classify import Classify
from esetrag.training import trainer
from esetrag.training.data import Data
from tests.project import REPO

PARAMS = config.load(REPO / "params.yaml")
TASK = "hun-noun-case"
STEMS = {"ház": "a", "asztal": "a", "ember": "e", "kert": "e", "barát": "a", "füzet": "e"}
ENDINGS = {
    "IN+ESS": ("ban", "ben"), "IN+ABL": ("ból", "ből"), "IN+ALL": ("ba", "be"), "DAT": ("nak", "nek"),
    "AT+ABL": ("tól", "től"), "ON+ABL": ("ról", "ről"), "ON+ALL": ("ra", "re"), "AT+ALL": ("hoz", "hez"),
    "AT+ESS": ("nál", "nél"), "FRML": ("ként", "ként"), "TERM": ("ig", "ig"), "PRP": ("ért", "ért"),
}  # fmt: skip


@pytest.fixture(scope="module")
def parts() -> dict[str, pa.Table]:
    raw = REPO / "data/raw/hun.tsv.gz"
    selection = select(unimorph.batches(raw), raw, "N", "Case")
    return sampling.draw(sampling.split(selection.table, PARAMS.sample), PARAMS.sample)


@pytest.fixture(scope="module")
def predictor(parts: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    data = Data.of(parts["train"], parts["dev"], PARAMS.build_vocab, PARAMS.encode_pad)
    options = PARAMS.section_of(TASK, config.Train).model_copy(update={"device": "cpu"})
    layout = Layout(TASK, tmp_path_factory.mktemp("model"))
    trainer.fit(data, PARAMS.model_of(TASK), options).save(layout, data, options, PARAMS.calibration)
    return Predictor.load(layout.checkpoint)


def test_it_beats_all_baselines_beyond_their_intervals(
    predictor: Predictor, parts: dict[str, pa.Table]
) -> None:
    width = predictor.checkpoint.manifest.encoding.width
    encoded = encoding.encode_rows(parts["test"], predictor.checkpoint.vocabulary, width, "end")
    outputs, task = {"ours": evaluation.output(predictor.checkpoint, encoded)}, Classify()
    options = (PARAMS.evaluate, PARAMS.calibration)
    figures = evaluation.evaluate(task, parts, outputs, predictor.labels, *options).figures
    models = figures["models"]
    assert models["ours"]["low"] > models["longest_suffix"]["high"] > models["majority"]["high"]
    assert figures["lead"]["low"] > 0
    assert figures["lead"]["on"] == "logistic_regression"
    assert figures["upper_bound"]["accuracy"] >= models["ours"]["accuracy"] > 0.98


def test_the_words_of_the_readme_have_the_labels_that_it_says(predictor: Predictor) -> None:
    (_, block, *_) = (REPO / "README.md").read_text("utf-8").split("```")
    command, *lines = block.splitlines()[1:]
    words = [word for word in command.split()[3:] if word in {line.split()[0] for line in lines}]
    assert [line.split()[:2] for line in lines] == [[r.form, r.labels[0]] for r in predictor.predict(words)]


@pytest.mark.parametrize("label", ENDINGS)
def test_plain_words_of_every_case(predictor: Predictor, label: str) -> None:
    words = [stem + ENDINGS[label][vowel == "e"] for stem, vowel in STEMS.items()]
    assert [prediction.labels[0] for prediction in predictor.predict(words)] == [label] * len(words)


def test_made_up_stems_take_the_case_of_their_ending(predictor: Predictor) -> None:
    stems = ["blarg", "zsumpol", "kvant", "trüff"]
    words = [stem + ending for stem in stems for ending in ("ban", "ról", "tól", "nak")]
    expected = ["IN+ESS", "ON+ABL", "AT+ABL", "DAT"] * len(stems)
    assert [prediction.labels[0] for prediction in predictor.predict(words)] == expected


def test_decomposed_letters_are_the_same_letters(predictor: Predictor) -> None:
    words = ["házból", "kertről", "tűzhöz"]
    composed = predictor.predict(words)
    decomposed = predictor.predict([unicodedata.normalize("NFD", word) for word in words])
    assert [one.probabilities for one in composed] == [one.probabilities for one in decomposed]


def test_the_company_of_a_word_does_not_change_its_prediction(
    predictor: Predictor, parts: dict[str, pa.Table]
) -> None:
    words = parts["test"]["form"].to_pylist()[:300]
    together = predictor.predict(words, top_k=len(predictor.labels))
    alone = [predictor.predict([word], top_k=len(predictor.labels))[0] for word in words]
    for one, other in zip(together, alone, strict=True):
        assert one.labels[0] == other.labels[0]
        np.testing.assert_allclose(sorted(one.probabilities), sorted(other.probabilities), atol=1e-5)


def test_unknown_symbols_are_named_and_long_words_are_classified_by_their_ending(
    predictor: Predictor,
) -> None:
    (foreign,) = predictor.predict(["Würşthausból"])
    assert foreign.unknown == "ş"  # the dictionary has a w, so the capital is read as one
    assert foreign.labels[0] == "IN+ABL"
    (long,) = predictor.predict(["megszentségteleníthetetlenségeskedéseitekként" * 20])
    assert long.labels[0] == "FRML"


@pytest.mark.parametrize("mark", ["\u200b", "\u200c", "\u200e", "\u200f", "\u2060", "\u00ad", "\ufeff"])
def test_an_invisible_character_at_an_edge_changes_nothing(predictor: Predictor, mark: str) -> None:
    plain, *others = predictor.predict(["kertből", "kertből" + mark, mark + "kertből"])
    assert plain.label_set == "IN+ABL"
    assert {(one.labels, one.probabilities, one.label_set, one.unknown) for one in others} == {
        (plain.labels, plain.probabilities, "IN+ABL", f"U+{ord(mark):04X}")
    }


@pytest.mark.parametrize("word", ["", "27", "–", "!?", "слово"])
def test_what_is_no_word_of_the_script_gets_no_answer(predictor: Predictor, word: str) -> None:
    (prediction,) = predictor.predict([word])
    assert (prediction.label_set, prediction.note) == ("", "no known letter")
