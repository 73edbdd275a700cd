"""Characters, subwords and whole forms through the pipeline."""

from __future__ import annotations

import pytest

from esetrag.core import tables
from esetrag.predict.predictor import Predictor
from tests.project import Project

STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["char", "bpe", "word"])
def test_a_pipeline_of_each_unit(project: Project, unit: str) -> None:
    task = {**project.params["tasks"]["toy"], "model": "ngram"}
    project.change(tasks={"toy": task}, build_vocab={"unit": unit, "merges": 20}, train={"analogies": 300})
    for stage in STAGES:
        project.stage(stage)
    vocabulary, test = project.json("data/toy/vocab.json"), project.json("metrics/toy/test.json")
    summary = project.json("metrics/toy/encoding.json")["parts"]["test"]
    models = test["models"]
    longest = max(map(len, vocabulary["symbols"][4:]))
    if unit == "word":
        forms = set(tables.read(project.root / "data/toy/sample/train.parquet")["form"].to_pylist())
        assert forms == set(vocabulary["symbols"][4:])
        assert summary["unknown_symbols"] == {"<UNK>": test["rows"]}, "no test lemma is a training lemma"
        assert models["ngram"]["accuracy"] <= models["majority"]["accuracy"] + 0.02
    else:
        assert summary["unknown_symbols"] == {}
        assert (longest > 1) == (unit == "bpe")
        assert models["ngram"]["accuracy"] > 0.9
    predictions = tables.read(project.root / "data/toy/predictions.parquet")
    again = Predictor.load(project.root / "data/toy/model").predict_table(predictions["form"])
    assert again["label"].to_pylist() == predictions["predicted"].to_pylist()
