"""Runs with other test sets are compared on one, which neither model knows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from esetrag import predict
from esetrag.core.layout import Layout
from esetrag.predict.sequence_predictor import SequencePredictor
from esetrag.predict.tag_predictor import TagPredictor
from esetrag.tracking import compare
from esetrag.tracking.common_test import common
from esetrag.tracking.run_state import State
from tests.unit.tracking.conftest import FORMS, LEMMAS, PARAMS, TASK


def test_both_models_predict_the_rows_of_the_larger_set_that_neither_knows(layout: Layout) -> None:
    large = State.named("workspace", layout, PARAMS.experiment_of(TASK))
    small = replace(large, name="small", predictions=large.predictions.slice(0, 7))
    a, b = common(small, large)
    known = 60 // FORMS  # lemmas of the training rows, which have those of dev
    assert len(a.predictions) == FORMS * (LEMMAS - known)
    assert a.predictions.equals(b.predictions), "one model"
    assert not {*a.predictions["lemma"].to_pylist()} & {f"l{lemma:02}" for lemma in range(known)}
    result = compare.compare(small, large, PARAMS.evaluate)
    assert (result.shared, result.rows, result.gain.value) == (len(a.predictions), (7, 200), 0)
    assert "both models predicted the 140 rows" in compare.notices(result)[0]


def test_states_of_the_same_rows_or_without_a_model_stay_as_they_are(layout: Layout) -> None:
    state = State.named("workspace", layout, PARAMS.experiment_of(TASK))
    assert common(state, state) == (state, state)
    other = replace(state, predictions=state.predictions.slice(0, 7), files=None)
    assert common(state, other) == (state, other)
    assert not compare.compare(state, other, PARAMS.evaluate).predicted_anew


def test_rows_without_lemmas_and_features_are_the_same_rows_in_another_order(layout: Layout) -> None:
    state = State.named("workspace", layout, PARAMS.experiment_of(TASK))
    forms = state.predictions
    for name in ("lemma", "features"):
        place = forms.column_names.index(name)
        forms = forms.set_column(place, name, pa.nulls(len(forms), pa.string()))
    a, b = (
        replace(state, predictions=forms),
        replace(state, predictions=forms.take([*range(len(forms))][::-1])),
    )
    assert common(a, b) == (a, b)


def test_words_of_sentences_are_not_predicted_apart(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    large = State.named("workspace", layout, PARAMS.experiment_of(TASK))
    small = replace(large, name="small", predictions=large.predictions.slice(0, 7))
    vocabulary = SimpleNamespace(words=("az",))
    tagger = SimpleNamespace(checkpoint=SimpleNamespace(vocabulary=vocabulary))
    monkeypatch.setattr(predict, "load", lambda _: tagger)
    assert common(small, large) == (small, large)


def test_segments_are_compared_with_their_names(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    large = State.named("workspace", layout, PARAMS.experiment_of(TASK))
    named = pa.array(["stem:ház|case:ból"] * len(large.predictions))
    place = large.predictions.column_names.index("label")
    large = replace(large, predictions=large.predictions.set_column(place, "label", named))
    small = replace(large, name="small", predictions=large.predictions.slice(0, 7))

    def written(_: SequencePredictor, queries: pa.ChunkedArray, __: int = 1) -> pa.Table:
        return pa.table({"label": ["stem:ház|case:ból"] * len(queries)})

    vocabulary: Any = SimpleNamespace(words=(), bundles=())
    tagger = TagPredictor(SimpleNamespace(vocabulary=vocabulary))  # type: ignore[arg-type]
    monkeypatch.setattr(predict, "load", lambda _: tagger)
    monkeypatch.setattr(SequencePredictor, "predict_table", written)
    found = compare.compare(small, large, PARAMS.evaluate)
    assert (found.predicted_anew, found.accuracy) == (True, (1.0, 1.0))
