"""A model that writes applied to new words."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest

from esetrag import predict
from esetrag.core import config, text
from esetrag.core.errors import CheckpointError, DataError, ParamsError
from esetrag.core.layout import Layout
from esetrag.predict import inputs, queries, sequence_predictor
from esetrag.predict.analyzer import Analyzer
from esetrag.predict.explain import explain
from esetrag.predict.predictor import NO_LETTER, Predictor, column
from esetrag.predict.sequence_predictor import SequencePredictor
from esetrag.training import trainer
from tests import writing
from tests.project import STEMS
from tests.writing import ENDINGS

BUNDLES = tuple(sorted(ENDINGS))
QUERIES = [f"{stem}\t{bundle}" for stem in STEMS[30:40] for bundle in BUNDLES]
pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture(scope="module")
def predictor(toy_checkpoint: Path) -> SequencePredictor:
    loaded = predict.load(toy_checkpoint)
    assert isinstance(loaded, SequencePredictor)
    return loaded


def changed(predictor: SequencePredictor, **values: float) -> SequencePredictor:
    """The predictor with other values of its calibration."""
    manifest = predictor.checkpoint.manifest
    other = manifest.model_copy(update={"calibration": manifest.calibration.model_copy(update=values)})
    return SequencePredictor(dataclasses.replace(predictor.checkpoint, manifest=other))


def test_a_word_is_inflected_for_its_features(predictor: SequencePredictor) -> None:
    assert predictor.bundles == BUNDLES
    expected = [stem + ENDINGS[bundle] for stem, bundle in (query.split("\t") for query in QUERIES)]
    found = predictor.predict(QUERIES)
    right = [one.labels[0] == word for one, word in zip(found, expected, strict=True)]
    assert sum(right) / len(right) > 0.9
    assert [(one.form, one.features) for one in found] == [tuple(query.split("\t")) for query in QUERIES]
    assert all(0 < one.probabilities[0] <= 1 for one in found)


@pytest.mark.parametrize("top_k", [1, 3, 99])
def test_a_table_a_list_and_single_words_agree(predictor: SequencePredictor, top_k: int) -> None:
    queries = [*QUERIES[:8], "\tN;SG", "27\tN;SG", "Bára?\tN;ACC;SG", "hosszú" * 9 + "\tN;ACC;SG"]
    listed = predictor.predict(queries, top_k)
    for answer, query in zip(listed, queries, strict=True):
        (alone,) = predictor.predict([query], top_k)
        assert alone.probabilities == pytest.approx(answer.probabilities, abs=1e-5)
        assert dataclasses.replace(alone, probabilities=()) == dataclasses.replace(answer, probabilities=())
    table = predictor.predict_table(column(queries), top_k)
    for answer, row in zip(listed, table.to_pylist(), strict=True):
        assert (answer.label_set, answer.unknown) == (row["label_set"], row["unknown"])
        ranks = [("label", "probability"), *((f"label_{n}", f"probability_{n}") for n in range(2, top_k + 1))]
        pairs = [(row[a], row[b]) for a, b in ranks if row.get(a)] or [("", 0.0)]
        assert list(zip(answer.labels, answer.probabilities, strict=True)) == pairs
        assert list(answer.probabilities) == sorted(answer.probabilities, reverse=True)


def test_many_words_are_those_of_their_batches(
    predictor: SequencePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predictor.predict_table(column(QUERIES))
    monkeypatch.setattr(sequence_predictor, "BATCH", 7)
    assert predictor.predict_table(column(QUERIES))["label"].to_pylist() == whole["label"].to_pylist()
    assert predictor.predict([]) == []
    assert len(predictor.predict_table(column([]))) == 0


def test_a_table_takes_text_of_any_type_of_arrow(predictor: SequencePredictor) -> None:
    expected = predictor.predict_table(column(QUERIES[:4]))
    for kind in (pa.string(), pa.large_string()):
        assert predictor.predict_table(pa.array(QUERIES[:4], kind)) == expected


def test_a_model_of_another_kind_is_refused(toy_checkpoint: Path, tiny_checkpoint: Path) -> None:
    for load in (Predictor.load, Analyzer.of):
        with pytest.raises(CheckpointError, match=r"model of kind classify, found one of kind transduce$"):
            load(toy_checkpoint)
    with pytest.raises(CheckpointError, match=r"model of kind transduce, found one of kind classify$"):
        SequencePredictor.load(tiny_checkpoint)
    assert SequencePredictor.load(toy_checkpoint).bundles == BUNDLES


def test_numbers_are_written_out_where_training_had_nothing_else(
    tmp_path: Path, params: config.Params
) -> None:
    words = {str(n) + end: "n" * n + end for n in range(1, 10) for end in ("0", "5")}
    rows = writing.asked(*[(number, None, word) for number, word in words.items()])
    kind = writing.task(source=["form"], target="lemma")
    layout = Layout("numbers", tmp_path)
    data = writing.data(rows, rows, kind)
    trainer.fit(data, writing.model(), writing.options(epochs=1)).save(
        layout, data, writing.options(), params.calibration
    )
    numbers = changed(SequencePredictor.load(layout.checkpoint), threshold=0.0)
    known, unknown = numbers.predict(["15", "ab"])
    assert (known.note, unknown.note, unknown.label_set) == ("", NO_LETTER, "")
    assert known.label_set


def test_what_cannot_be_asked_is_refused_in_one_line(predictor: SequencePredictor) -> None:
    with pytest.raises(DataError, match=r"no value XXX, PL in training; known: ACC DAT IN\+ABL N NOM SG$"):
        predictor.predict(["bara\tN;XXX;PL"])
    with pytest.raises(DataError, match=r"^bara: expected features behind the word and a tab, such as N;ACC"):
        predictor.predict(["dora\tN;SG", "bara"])
    with pytest.raises(ParamsError, match="top_k"):
        predictor.predict(QUERIES, 0)
    with pytest.raises(DataError, match=r"word 2: expected text in UTF-8"):
        predictor.predict(["bara\tN;SG", "a\ud800\tN"])


@pytest.mark.parametrize(
    ("query", "found"), [("bara\t", "none"), ("bara\t ", "none"), ("bara\tN;SG\tX", r"N;SG\\tX")]
)
def test_features_that_are_empty_or_more_than_one_field_are_refused(
    predictor: SequencePredictor, query: str, found: str
) -> None:
    expected = rf"^bara: expected features behind the word and a tab, such as N;ACC;SG, found {found}$"
    with pytest.raises(DataError, match=expected):
        predictor.predict(["dora\tN;SG", query])


def test_the_order_and_punctuation_of_features_do_not_matter(predictor: SequencePredictor) -> None:
    one, other, third = predictor.predict(["bara\tN;ACC;SG", "bara\tN;SG;ACC", " bara\tN;ACC(SG)"])
    assert one.labels == other.labels == third.labels == ("barat",)


def test_decomposed_letters_are_the_composed_ones(predictor: SequencePredictor) -> None:
    query = "bára\tN;DAT;SG"
    one, other = predictor.predict([query, unicodedata.normalize("NFD", query)])
    assert (one.labels, one.probabilities, one.unknown) == (other.labels, other.probabilities, other.unknown)


@pytest.mark.parametrize("word", ["", "27", "–", "кот"])
def test_what_has_no_letter_gets_no_answer_but_a_reason(predictor: SequencePredictor, word: str) -> None:
    query = f"{word}\tN;ACC;SG"
    (found,) = predictor.predict([query])
    assert (found.form, found.label_set, found.note) == (word, "", NO_LETTER)
    assert predictor.predict_table(column([query]))["label_set"].to_pylist() == [""]


def test_a_word_longer_than_those_of_training_keeps_its_features(predictor: SequencePredictor) -> None:
    stem = "kana" * 12
    found = {one.labels[0] for one in predictor.predict([f"{stem}\t{bundle}" for bundle in BUNDLES])}
    assert len(found) == len(BUNDLES)
    assert all(word.startswith(stem[:-1]) for word in found)


def test_unknown_symbols_are_named(predictor: SequencePredictor) -> None:
    (found,) = predictor.predict(["bűra\u200b\tN;ACC;SG"])
    assert found.unknown in ("űU+200B", "U+200B ű", "ű U+200B")


def test_below_the_threshold_it_abstains(predictor: SequencePredictor) -> None:
    other = changed(predictor, threshold=1.0, temperature=9.0)
    (found,) = other.predict(["bara\tN;ACC;SG"])
    assert (found.label_set, found.note) == ("", "")
    assert found.labels == ("barat",)


def test_features_of_a_file_stand_in_their_own_column_or_the_second(tmp_path: Path) -> None:
    table, names = pa.table({"features": ["N;SG"], "form": ["ház"]}), ["form", "features"]
    ((_, asked),) = queries.as_asked([(table, table["form"])], names)
    assert asked.to_pylist() == ["ház\tN;SG"]
    chosen = pa.table({"form": ["1"], "features": ["N;SG"], "word": ["ház"]})
    ((_, asked),) = queries.as_asked([(chosen, chosen["word"])], names)
    assert asked.to_pylist() == ["ház\tN;SG"], "the words are those of the chosen column"
    (tmp_path / "a.tsv").write_text("ház\t N;SG\n")
    (_, asked), *_ = queries.as_asked(inputs.from_file(tmp_path / "a.tsv"), names)
    assert asked.to_pylist() == ["ház\tN;SG"]
    ((_, asked),) = queries.as_asked(inputs.from_words(["ház\tN;SG"]), names)
    assert asked.to_pylist() == ["ház\tN;SG"], "whole queries"


def test_columns_of_pairs_are_found_by_their_names_or_places() -> None:
    names = ["first", "second", "features"]
    table = pa.table({"second": ["háznak"], "features": ["N;DAT"], "first": ["ház"]})
    for rows in (table, table.select(names).rename_columns(["a", "b", "c"])):
        ((_, asked),) = queries.as_asked([(rows, rows.column(0))], names)
        assert asked.to_pylist() == ["ház\tháznak\tN;DAT"]
    with pytest.raises(DataError, match=r"expected 3 columns \(first, second, features\), found a, b"):
        list(queries.as_asked([(rows.select(["a", "b"]), rows["a"])], names))


@pytest.mark.parametrize("glued", ["{}!", "„{}”", "{}\u200b", "\ufeff{}", " ({}), "])
def test_what_no_training_word_has_at_its_end_is_left_out(predictor: SequencePredictor, glued: str) -> None:
    stem, bundle = QUERIES[1].split("\t")
    (plain,) = predictor.predict([f"{stem}\t{bundle}"], 3)
    (found,) = predictor.predict([f"{glued.format(stem)}\t{bundle}"], 3)
    assert (found.labels, found.label_set) == (plain.labels, plain.label_set)
    assert found.unknown == text.visible("".join(sorted(glued.format("").strip())))


def test_what_each_step_looks_at_is_explained(predictor: SequencePredictor) -> None:
    why = explain(predictor, QUERIES[0])
    assert [letter for letter in why["read"] if len(letter) == 1] == [*QUERIES[0].split("\t")[0]]
    assert len(why["weights"]) == len(why["written"])
    assert all(abs(sum(row) - 1) < 0.02 for row in why["weights"])
    stem, bundle = QUERIES[0].split("\t")
    assert explain(predictor, f"„{stem}.\t{bundle}") == why, "the word is explained that is predicted"
    assert explain(predictor, f"...\t{bundle}") == {}
