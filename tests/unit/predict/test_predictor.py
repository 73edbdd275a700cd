from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core import config
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST
from esetrag.models import checkpoint
from esetrag.predict.predictor import Predictor, column, readings
from esetrag.scoring.calibration import Calibration
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Unit, Vocabulary
from esetrag.training import trainer


@pytest.fixture
def reader(tiny_checkpoint: Path) -> Predictor:
    return Predictor.load(tiny_checkpoint)


def test_learnt_forms_are_read(reader: Predictor, tiny_rows: pa.Table) -> None:
    readings = reader.predict(tiny_rows["form"].to_pylist())
    read = [reading.labels[0] for reading in readings]
    right = np.array(read) == np.array(tiny_rows["label"].to_pylist())
    assert right.mean() > 0.95
    assert [reading.form for reading in readings] == tiny_rows["form"].to_pylist()


def test_words_are_read_as_the_encoded_rows_are(
    reader: Predictor, tiny_rows: pa.Table, tiny_encoded: Encoded
) -> None:
    shares = reader.probabilities(tiny_encoded)
    assert shares.shape == (len(tiny_rows), len(reader.labels))
    assert shares.sum(1) == pytest.approx(np.ones(len(tiny_rows)), abs=1e-5)
    for reading, row in zip(reader.predict(tiny_rows["form"].to_pylist()), shares, strict=True):
        assert reading.labels == (reader.labels[row.argmax()],)
        assert reading.probabilities[0] == pytest.approx(row.max(), abs=1e-5)


@pytest.mark.parametrize("top_k", [1, 3, 99])
def test_words_are_read_as_a_table_of_them_is(reader: Predictor, top_k: int) -> None:
    words = ["kanaban", "„kanaban”,", "xkana\U0001f600", "...", "", "KANABAN", "kana" * 20]
    table = reader.predict_table(column(words), top_k)
    assert reader.predict(words, top_k) == readings(column(words), table)
    assert [reader.predict([word], top_k)[0] for word in words] == readings(column(words), table)


def test_the_likeliest_labels_come_first(reader: Predictor) -> None:
    [reading] = reader.predict(["kanaban"], top_k=3)
    assert len(reading.labels) == len(set(reading.labels)) == 3
    assert list(reading.probabilities) == sorted(reading.probabilities, reverse=True)
    [whole] = reader.predict(["kanaban"], top_k=99)
    assert sorted(whole.labels) == sorted(reader.labels)
    assert sum(whole.probabilities) == pytest.approx(1, abs=1e-5)
    assert whole.labels[:3] == reading.labels


def test_decomposed_letters_are_read_as_composed_ones(reader: Predictor) -> None:
    composed, decomposed = "kanaból", unicodedata.normalize("NFD", "kanaból")
    assert composed != decomposed
    one, other = reader.predict([composed, decomposed])
    assert one.labels == other.labels == ("IN+ABL",)
    assert one.probabilities == other.probabilities
    assert (one.unknown, other.unknown) == ("", "")
    assert other.form == decomposed


def test_symbols_that_training_never_showed_are_told(reader: Predictor) -> None:
    unknown = [reading.unknown for reading in reader.predict(["kana", "xkana\U0001f600x", "KANA?", ""])]
    assert unknown == ["", "x\U0001f600", "?", ""]


def test_capitals_and_punctuation_that_training_never_showed_change_nothing(reader: Predictor) -> None:
    plain, *others = reader.predict(["kanaban", "Kanaban", "KANABAN", "„kanaban”,", "(kanaban)…"])
    for other in others:
        assert (other.labels, other.probabilities) == (plain.labels, plain.probabilities)
    within, empty = reader.predict(["kana.ban", "..."])
    assert within.unknown == "."
    assert empty.form == "..."
    assert empty.unknown == "."


def test_the_ending_of_a_long_form_is_read(reader: Predictor) -> None:
    width = reader.checkpoint.manifest.encoding.width
    long, end = reader.predict(["x" * 5000 + "kanaban", ("x" * 50 + "kanaban")[-(width - 2) :]])
    assert long.labels == end.labels
    assert long.probabilities == end.probabilities


@pytest.mark.parametrize("word", ["", " ", "null", "\0", "\u0301", "a\tb"])
def test_any_word_gets_a_reading(reader: Predictor, word: str) -> None:
    [reading] = reader.predict([word])
    assert reading.form == word
    assert 0 < reading.probabilities[0] <= 1


def test_no_words_get_no_readings(reader: Predictor) -> None:
    assert reader.predict([]) == []


def test_a_reading_does_not_depend_on_the_other_words(reader: Predictor, tiny_rows: pa.Table) -> None:
    forms = tiny_rows["form"].to_pylist()
    for form, together in zip(forms[:10], reader.predict(forms)[:10], strict=True):
        [alone] = reader.predict([form])
        assert alone.labels == together.labels
        assert alone.probabilities == pytest.approx(together.probabilities, abs=1e-5)


@pytest.mark.parametrize(("stored", "expected"), [(2, 2), (None, 1), ("2", 1), (0, 1)])
def test_it_reads_with_as_many_threads_as_it_was_trained_with(
    tiny_checkpoint: Path, stored: object, expected: int
) -> None:
    content = json.loads((tiny_checkpoint / MANIFEST).read_bytes())
    content["training"]["threads"] = stored
    (tiny_checkpoint / MANIFEST).write_text(json.dumps(content))
    try:
        Predictor.load(tiny_checkpoint)
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(1)


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"manifest\.json: cannot be read"):
        Predictor.load(tmp_path / "model")


@pytest.mark.parametrize(("unit", "merges"), [("bpe", 20), ("word", 0)])
def test_words_are_taken_apart_as_the_training_forms_were(
    tmp_path: Path, given: config.Params, tiny_rows: pa.Table, unit: Unit, merges: int
) -> None:
    forms, labels = (tiny_rows[name].to_pylist() for name in ("form", "label"))
    vocabulary = Vocabulary.build(forms, labels, 1, unit, merges)
    encoded = encoding.encode_rows(tiny_rows, vocabulary, encoding.width_of(tiny_rows["form"], None), "end")
    how = given.train.model_copy(update={"iterations": 15})
    trained = trainer.fit(encoded, encoded, vocabulary, given.model, how)
    checkpoint.save(
        tmp_path, trained.network, vocabulary, encoded, given.model, how.model_dump(), Calibration()
    )
    reader = Predictor.load(tmp_path)
    assert reader.checkpoint.vocabulary == vocabulary
    shares = reader.probabilities(encoded)
    readings = reader.predict(forms)
    assert [reading.probabilities[0] for reading in readings] == shares.max(1).tolist()
    assert np.mean([reading.labels[0] for reading in readings] == np.array(labels)) > 0.9
    [known, decomposed, foreign] = reader.predict(["kanaból", "kanabo\u0301l", "kana?"])
    assert (known.unknown, decomposed.unknown) == ("", "")
    assert known.probabilities == decomposed.probabilities
    assert foreign.unknown == {"bpe": "?", "word": "kana?"}[unit]


def test_of_whole_forms_all_unseen_ones_are_read_alike(
    tmp_path: Path, given: config.Params, tiny_rows: pa.Table
) -> None:
    labels = tiny_rows["label"].to_pylist()
    vocabulary = Vocabulary.build(tiny_rows["form"].to_pylist(), labels, unit="word")
    encoded = encoding.encode_rows(tiny_rows, vocabulary, 5, "end")
    trained = trainer.fit(encoded, encoded, vocabulary, given.model, given.train)
    checkpoint.save(tmp_path, trained.network, vocabulary, encoded, given.model, {}, Calibration())
    one, other = Predictor.load(tmp_path).predict(["házban", "kertet"], top_k=99)
    assert (one.labels, one.probabilities) == (other.labels, other.probabilities)
    assert max(one.probabilities) - min(one.probabilities) < 0.01, "every case is as frequent as any other"


def fitted(checkpoint: Path, **changed: float) -> Predictor:
    """The reader with other numbers fitted on dev."""
    content = json.loads((checkpoint / MANIFEST).read_bytes())
    content["calibration"] |= changed
    (checkpoint / MANIFEST).write_text(json.dumps(content))
    return Predictor.load(checkpoint)


def test_a_temperature_divides_the_logits(tiny_checkpoint: Path, tiny_encoded: Encoded) -> None:
    plain = fitted(tiny_checkpoint, temperature=1.0, exponent=1.0).probabilities(tiny_encoded)
    hot = fitted(tiny_checkpoint, temperature=2.0, exponent=1.0).probabilities(tiny_encoded)
    expected = np.sqrt(plain) / np.sqrt(plain).sum(1, keepdims=True)
    np.testing.assert_allclose(hot, expected, atol=1e-5)


def test_the_set_holds_the_values_that_are_likely_beside_the_likeliest(
    tiny_checkpoint: Path, tiny_rows: pa.Table
) -> None:
    reader, forms = fitted(tiny_checkpoint, ratio=0.02, threshold=0.0, temperature=1.0), tiny_rows["form"]
    sizes = set()
    for reading in reader.predict(forms.to_pylist(), top_k=99):
        pairs = zip(reading.labels, reading.probabilities, strict=True)
        likely = [label for label, share in pairs if share >= 0.02 * reading.probabilities[0]]
        assert reading.label_set == "/".join(sorted(likely))
        sizes.add(len(likely))
    assert len(sizes) > 1


def test_a_reader_less_sure_than_the_threshold_names_no_set(
    tiny_checkpoint: Path, tiny_rows: pa.Table
) -> None:
    reader = fitted(tiny_checkpoint, ratio=1.0, threshold=0.9)
    readings = reader.predict([*tiny_rows["form"].to_pylist(), "xxxxx"])
    for reading in readings:
        assert reading.label_set == (reading.labels[0] if reading.probabilities[0] >= 0.9 else "")
    assert {reading.label_set != "" for reading in readings} == {True, False}


@pytest.mark.parametrize(
    "training", [{}, {"seed": 7}, {"seed": "7", "repeats": 1}, {"seed": 7, "repeats": 10**12}]
)
def test_a_manifest_that_does_not_tell_its_seeds_is_refused(
    tiny_checkpoint: Path, training: dict[str, object]
) -> None:
    content = json.loads((tiny_checkpoint / MANIFEST).read_bytes())
    content["training"] = training
    (tiny_checkpoint / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="does not tell its seeds"):
        _ = Predictor.load(tiny_checkpoint).extra_seeds


@pytest.mark.parametrize(("repeats", "seeds"), [(0, []), (3, [8, 9, 10])])
def test_the_repetitions_have_the_seeds_that_follow(
    tiny_checkpoint: Path, repeats: int, seeds: list[int]
) -> None:
    content = json.loads((tiny_checkpoint / MANIFEST).read_bytes())
    content["training"] |= {"seed": 7, "repeats": repeats}
    (tiny_checkpoint / MANIFEST).write_text(json.dumps(content))
    assert Predictor.load(tiny_checkpoint).extra_seeds == seeds
