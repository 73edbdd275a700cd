from __future__ import annotations

import dataclasses
import json
import unicodedata
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core import config, text
from esetrag.core.errors import CheckpointError, DataError, ParamsError
from esetrag.core.layout import MANIFEST, Layout
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import BATCH, NO_LETTER, Predictor, column
from esetrag.symbols.encoding import Encoded
from esetrag.training import trainer
from esetrag.training.data import Data
from tests import samples

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u2066\u061c"


def changed(folder: Path, section: str, **values: object) -> Predictor:
    """The predictor with other values in its manifest."""
    content = json.loads((folder / MANIFEST).read_bytes())
    content[section] |= values
    (folder / MANIFEST).write_text(json.dumps(content))
    return Predictor.load(folder)


def same(one: Prediction, other: Prediction) -> bool:
    return (one.labels, one.probabilities) == (other.labels, other.probabilities)


def test_training_forms_are_predicted_as_the_encoded_rows_are(
    predictor: Predictor, tiny_rows: pa.Table, tiny_encoded: Encoded
) -> None:
    forms, labels = (tiny_rows[name].to_pylist() for name in ("form", "label"))
    shares = predictor.probabilities(tiny_encoded)
    assert shares.shape == (len(forms), len(predictor.labels))
    assert shares.sum(1) == pytest.approx(np.ones(len(forms)), abs=1e-5)
    predictions = predictor.predict(forms)
    assert [prediction.form for prediction in predictions] == forms
    for prediction, row in zip(predictions, shares, strict=True):
        assert prediction.labels == (predictor.labels[row.argmax()],)
        assert prediction.probabilities[0] == pytest.approx(row.max(), abs=1e-5)
    assert np.mean([prediction.labels[0] for prediction in predictions] == np.array(labels)) > 0.95


@pytest.mark.parametrize("top_k", [1, 3, 99])
def test_a_table_has_the_numbers_of_single_words(predictor: Predictor, top_k: int) -> None:
    words = ["kanaban", "„kanaban”,", "xkana\U0001f600", "...", "", "KANABAN", "kana" * 20, "kana\u200b"]
    singly = [predictor.predict([word], top_k)[0] for word in words]
    assert predictor.predict(words, top_k) == singly
    *ranks, sets, unknown = (
        values.to_pylist() for values in predictor.predict_table(column(words), top_k).columns
    )
    rows = zip(
        words, zip(*ranks[::2], strict=True), zip(*ranks[1::2], strict=True), unknown, sets, strict=True
    )
    assert list(rows) == [astuple(prediction)[:5] for prediction in singly]


def test_a_table_takes_text_of_any_type_of_arrow(predictor: Predictor) -> None:
    words = ["kanaban", "kana\u200b", "KEPBŐL"]
    expected, plain = predictor.predict_table(column(words)), pa.array(words)
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        whole = plain.cast(kind) if not pa.types.is_dictionary(kind) else plain.dictionary_encode()
        assert predictor.predict_table(whole) == expected
        assert predictor.predict_table(pa.chunked_array([whole[:1], whole[1:]])) == expected
    for wrong in (pa.array(["kana", None]), pa.array([b"kana", b"\xe1"])):
        with pytest.raises(DataError, match=r"word \d: expected text in UTF-8, found"):
            predictor.predict_table(wrong)


def test_a_prediction_is_the_same_in_any_company(predictor: Predictor, tiny_rows: pa.Table) -> None:
    forms = tiny_rows["form"].to_pylist()
    many = (forms * (BATCH // len(forms) + 1))[: BATCH + 3]
    together = predictor.predict_table(column(many))
    assert len(together) == len(many)
    alone = [predictor.predict([form])[0] for form in many[-5:]]
    assert [prediction.labels[0] for prediction in alone] == together["label"].to_pylist()[-5:]
    shares = [prediction.probabilities[0] for prediction in alone]
    np.testing.assert_allclose(shares, together["probability"].to_numpy()[-5:], atol=1e-6)


def test_the_most_probable_labels_come_first(predictor: Predictor) -> None:
    [prediction] = predictor.predict(["kanaban"], top_k=3)
    assert len(prediction.labels) == len(set(prediction.labels)) == 3
    assert list(prediction.probabilities) == sorted(prediction.probabilities, reverse=True)
    [whole] = predictor.predict(["kanaban"], top_k=99)
    assert sorted(whole.labels) == sorted(predictor.labels)
    assert sum(whole.probabilities) == pytest.approx(1, abs=1e-5)
    assert whole.labels[:3] == prediction.labels
    with pytest.raises(ParamsError, match="top_k"):
        predictor.predict(["kanaban"], 0)


def test_decomposed_letters_are_the_composed_ones(predictor: Predictor) -> None:
    composed, decomposed = "kanaból", unicodedata.normalize("NFD", "kanaból")
    one, other = predictor.predict([composed, decomposed])
    assert same(one, other)
    assert one.labels == ("IN+ABL",)
    assert (one.unknown, other.unknown, other.form) == ("", "", decomposed)


def test_unknown_symbols_are_named_each_once(predictor: Predictor) -> None:
    forms = {
        "kana": "", "ßkanaé\U0001f600ß": "ßé\U0001f600", "KANA?": "?", "e\u0301x": "xé", "日本": "日本",
        "": "", "\0€": "U+0000 €", "ka\u200bna": "U+200B", "ka na": "U+0020",
    }  # fmt: skip
    assert [prediction.unknown for prediction in predictor.predict(list(forms))] == list(forms.values())
    words = column(list(forms)).slice(2, 3)
    assert predictor.predict_table(words)["unknown"].to_pylist() == list(forms.values())[2:5]


@pytest.mark.parametrize("mark", ["„", ",", "…", " ", "\n", "\u2003", "。", "€", *INVISIBLE])
def test_marks_around_a_word_that_training_never_had_change_nothing(predictor: Predictor, mark: str) -> None:
    plain, *others = predictor.predict(
        ["kanaban", mark + "kanaban", "Kanaban" + mark, f"({mark}KANABAN{mark}."]
    )
    assert all(same(plain, other) for other in others)
    shown = text.visible(mark)
    assert all(shown in other.unknown for other in others)
    assert {other.label_set for other in others} == {plain.label_set} != {""}


def test_a_mark_that_training_had_belongs_to_the_word(tmp_path: Path, params: config.Params) -> None:
    predictor, _ = trained(tmp_path, params, ["ab\u200c", "ab", "ba\u200c", "ba"], ["X", "Y", "X", "Y"])
    one, other = predictor.predict(["ab\u200c", "ab"])
    assert (one.labels, other.labels, one.unknown) == (("X",), ("Y",), "")


def test_a_mark_inside_training_forms_is_no_part_of_an_end(tmp_path: Path, params: config.Params) -> None:
    forms = ["sz.-hoz", "kan", "-on", "sz.-ban"]
    predictor, _ = trained(tmp_path, params, forms, ["X", "Y", "Z", "Y"])
    predictions = predictor.predict(["kan", "kan.", "kan-", ".kan", "sz.-hoz", "-on", "on", "(-on)"])
    plain, stop, hyphen, before, abbreviation, suffix, bare, bracketed = predictions
    assert all(same(plain, other) for other in (stop, hyphen, before))
    assert (abbreviation.labels, suffix.labels) == (("X",), ("Z",))
    assert same(suffix, bracketed)
    assert not same(suffix, bare)


def test_many_marks_on_a_letter_take_no_time_and_hide_no_other_word(predictor: Predictor) -> None:
    piled = "b" + "\u0301\u0327" * 20_000
    one, other = predictor.predict([piled, "kanabo\u0301l"])
    assert one.form == piled
    assert (other.labels, other.unknown) == (("IN+ABL",), "")


@pytest.mark.parametrize("word", ["", " ", "\0", "\u0301", "27", "...", "\u200b", "日本", "\t"])
def test_what_has_no_known_letter_gets_no_answer_but_a_reason(predictor: Predictor, word: str) -> None:
    [prediction] = predictor.predict([word])
    assert prediction.form == word
    assert (prediction.label_set, prediction.note) == ("", NO_LETTER)
    assert 0 < prediction.probabilities[0] <= 1
    assert predictor.predict_table(column([word]))["label_set"].to_pylist() == [""]


def test_numbers_are_answered_where_training_had_nothing_else(tmp_path: Path, params: config.Params) -> None:
    predictor, _ = trained(tmp_path, params, ["12", "21", "13", "31"], ["X", "Y", "X", "Y"])
    known, unknown = predictor.predict(["112", "ab"])
    assert (known.label_set, known.note, unknown.label_set, unknown.note) == ("X", "", "", NO_LETTER)


def test_the_ending_of_a_long_form_decides(predictor: Predictor) -> None:
    width = predictor.checkpoint.manifest.encoding.width
    long, end = predictor.predict(["x" * 5000 + "kanaban", ("x" * 50 + "kanaban")[-(width - 2) :]])
    assert same(long, end)


def test_no_words_get_no_predictions_and_what_is_no_text_is_refused(predictor: Predictor) -> None:
    assert predictor.predict([]) == []
    bad: Any
    for bad in (1, 1.5, None, float("nan"), True, ["a"], "a\ud800"):
        with pytest.raises(DataError, match=r"word 2: expected text in UTF-8, found "):
            predictor.predict(["kepet", bad])


@pytest.mark.parametrize(("stored", "expected"), [(2, 2), (None, 1), ("2", 1), (0, 1)])
def test_it_uses_as_many_threads_as_it_was_trained_with(
    tiny_checkpoint: Path, stored: object, expected: int
) -> None:
    try:
        changed(tiny_checkpoint, "training", threads=stored)
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(1)


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"manifest\.json: cannot be read"):
        Predictor.load(tmp_path / "model")


def trained(
    folder: Path, params: config.Params, forms: list[str], labels: list[str], unit: str = "char"
) -> tuple[Predictor, Data]:
    """An n-gram classifier of these rows, and its data."""
    build = params.build_vocab.model_copy(update={"unit": unit, "merges": 20})
    rows = samples.table(zip([None] * len(forms), forms, labels, strict=True))
    data = Data.of(rows, rows, build, params.encode_pad)
    model = dataclasses.replace(params.resolve("ngram"), lemmas=False)
    options = params.train.model_copy(update={"analogies": 0})
    trainer.fit(data, model, options).save(Layout("toy", folder), data, options, params.calibration)
    return Predictor.load(Layout("toy", folder).checkpoint), data


@pytest.mark.parametrize("unit", ["bpe", "word"])
def test_words_are_segmented_as_the_training_forms_were(
    tmp_path: Path, params: config.Params, tiny_rows: pa.Table, unit: str
) -> None:
    forms, labels = (tiny_rows[name].to_pylist() for name in ("form", "label"))
    predictor, data = trained(tmp_path, params, forms, labels, unit)
    predictions = predictor.predict(forms)
    shares = predictor.probabilities(data.train)
    assert [prediction.probabilities[0] for prediction in predictions] == shares.max(1).tolist()
    assert np.mean([prediction.labels[0] for prediction in predictions] == np.array(labels)) > 0.9
    known, decomposed, foreign = predictor.predict(["kanaból", "kanabo\u0301l", "kana?"])
    assert (known.unknown, decomposed.unknown) == ("", "")
    assert same(known, decomposed)
    assert foreign.unknown == {"bpe": "?", "word": "kana?"}[unit]
    unseen, other = predictor.predict(["mosza" * 3, "lomta" * 3])
    assert unit != "word" or same(unseen, other)


def test_a_temperature_divides_the_logits(tiny_checkpoint: Path, tiny_encoded: Encoded) -> None:
    plain = changed(tiny_checkpoint, "calibration", temperature=1.0, exponent=1.0).probabilities(tiny_encoded)
    hot = changed(tiny_checkpoint, "calibration", temperature=2.0, exponent=1.0).probabilities(tiny_encoded)
    expected = np.sqrt(plain) / np.sqrt(plain).sum(1, keepdims=True)
    np.testing.assert_allclose(hot, expected, atol=1e-5)


def test_the_set_has_the_values_that_are_nearly_as_probable_as_the_top_one(
    tiny_checkpoint: Path, tiny_rows: pa.Table
) -> None:
    predictor = changed(tiny_checkpoint, "calibration", ratio=0.02, threshold=0.0, temperature=1.0)
    sizes = set()
    for prediction in predictor.predict(tiny_rows["form"].to_pylist(), top_k=99):
        pairs = zip(prediction.labels, prediction.probabilities, strict=True)
        likely = [label for label, share in pairs if share >= 0.02 * prediction.probabilities[0]]
        assert prediction.label_set == "/".join(sorted(likely))
        sizes.add(len(likely))
    assert len(sizes) > 1


def test_below_the_threshold_it_abstains_and_at_it_it_does_not(
    tiny_checkpoint: Path, tiny_rows: pa.Table
) -> None:
    forms = [*tiny_rows["form"].to_pylist(), "xkxxx"]
    shares = sorted(row.probabilities[0] for row in Predictor.load(tiny_checkpoint).predict(forms))
    middle = float(np.float64(shares[len(shares) // 2]))
    for prediction in changed(tiny_checkpoint, "calibration", ratio=1.0, threshold=middle).predict(forms):
        there = prediction.probabilities[0] >= middle
        assert (prediction.label_set, prediction.note) == (prediction.labels[0] if there else "", "")


@pytest.mark.parametrize(
    "training", [{"repeats": None}, {"seed": 7}, {"seed": "7", "repeats": 1}, {"seed": 7, "repeats": 10**12}]
)
def test_a_manifest_that_does_not_name_its_seeds_is_refused(
    tiny_checkpoint: Path, training: dict[str, object]
) -> None:
    with pytest.raises(CheckpointError, match="does not name its seeds"):
        _ = changed(
            tiny_checkpoint, "training", **{"seed": None, "repeats": None, **training}
        ).checkpoint.extra_seeds


@pytest.mark.parametrize(("repeats", "seeds"), [(0, []), (3, [8, 9, 10])])
def test_the_extra_seeds_follow_its_own(tiny_checkpoint: Path, repeats: int, seeds: list[int]) -> None:
    assert changed(tiny_checkpoint, "training", seed=7, repeats=repeats).checkpoint.extra_seeds == seeds
