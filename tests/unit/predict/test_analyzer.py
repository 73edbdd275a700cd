from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.predict.analyzer import LEAST_PROBABLE, Analyzer
from esetrag.predict.predictor import Predictor, column
from esetrag.tasks.classify import Classify
from esetrag.training import trainer
from esetrag.training.data import Data
from tests import samples

ENDINGS = {"NOM;SG": "", "ACC;SG": "t", "NOM;PL": "k", "ACC;PL": "kat", "DAT;SG;PSS1S": "emnek"}
WORDS = ["kana", "kanat", "kanakat", "boraem", "„borakat”"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, params: config.Params) -> Path:
    """The checkpoint of a model of bundles; *boraem* is both of NOM;SG and ACC;PL."""
    stems = [a + b + c for a in "bkm" for b in "ao" for c in ("na", "ra", "la")]
    rows = [(stem, stem + end, bundle) for stem in stems for bundle, end in ENDINGS.items()]
    rows += [(stem, stem + "em", "ACC;PL/NOM;SG") for stem in stems]
    table = samples.table(rows)
    entry = {"kind": "classify", "raw": "a", "pos": "N", "model": "ngram"}
    task = config.UnimorphTask.model_validate({**entry, "feature": ["Case", "Number", "Possession"]})
    vocabulary = Classify(task).vocabulary([table], params.build_vocab)
    data = Data.of(table, table, params.build_vocab, params.encode_pad)
    data = dataclasses.replace(data, vocabulary=vocabulary)
    layout = Layout("toy", tmp_path_factory.mktemp("bundles"))
    options = params.train.model_copy(update={"analogies": 0, "device": "cpu"})
    trained = trainer.fit(data, params.resolve("ngram"), options)
    trained.save(layout, data, options, params.calibration)
    return layout.checkpoint


def test_bundles_come_with_each_feature_by_itself(folder: Path) -> None:
    predictor = Predictor.load(folder)
    first, *_, mark = predictor.predict(WORDS, 2)
    assert first.labels[0] == "NOM;SG"
    assert list(first.by_feature) == ["Case", "Number", "Possession"]
    assert [next(iter(values)) for values in first.by_feature.values()] == ["NOM", "SG", "_"]
    assert [len(values) for values in first.by_feature.values()] == [2, 2, 2]
    assert mark.labels[0] == "ACC;PL"
    record = json.loads(json.dumps(first.record(several=True)))
    assert record["by_feature"]["Number"]["SG"] == pytest.approx(1, abs=0.1)


def test_a_table_has_the_features_of_single_words(folder: Path) -> None:
    predictor = Predictor.load(folder)
    table = predictor.predict_table(column(WORDS))
    singly = [predictor.predict([word])[0] for word in WORDS]
    for name in ("Case", "Number", "Possession"):
        values, shares = (table[key].to_pylist() for key in (name, f"{name}_probability"))
        assert values == [next(iter(one.by_feature[name])) for one in singly]
        assert shares == pytest.approx(
            [one.by_feature[name][values[i]] for i, one in enumerate(singly)], abs=1e-4
        )


def test_all_probable_bundles_are_given_and_no_others(folder: Path) -> None:
    analyzer = Analyzer.of(folder)
    several, certain = analyzer.predict(["boraem", "kanat"])
    assert {*several.labels} == {"NOM;SG", "ACC;PL"}
    assert several.label_set == "ACC;PL/NOM;SG"
    assert {*several.by_feature["Case"]} == {"NOM", "ACC"}
    assert sum(several.probabilities) == pytest.approx(1, abs=0.05)
    assert certain.labels[0] == "ACC;SG"
    for one in (several, certain):
        assert min(one.probabilities) >= LEAST_PROBABLE
        assert np.all(np.diff(one.probabilities) <= 0)
    assert len(analyzer.predict(["boraem"], top_k=1)[0].labels) == 1


def test_a_model_of_one_feature_has_none_by_itself(tiny_checkpoint: Path) -> None:
    (answer,) = Analyzer.of(tiny_checkpoint).predict(["kanaban"])
    assert answer.by_feature == {}
    assert "by_feature" not in answer.more
