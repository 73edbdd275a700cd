"""What a model looked at: of the word that it predicts."""

from __future__ import annotations

from esetrag.predict.explain import explain
from esetrag.predict.predictor import Predictor


def test_the_word_is_explained_that_is_predicted(predictor: Predictor) -> None:
    plain, marked = explain(predictor, "kepből"), explain(predictor, "„kepből.”")
    assert marked == {**plain, "letters": [["„", 0], *plain["letters"], [".", 0], ["”", 0]]}
    assert marked["label"] == predictor.predict(["„kepből.”"])[0].labels[0]
    assert explain(predictor, "...") == {}
