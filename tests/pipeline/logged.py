"""What tests look for in a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow

from tests.project import Project

Client = mlflow.MlflowClient
Open = Callable[..., Client]
"""The fixture ``client``: opens the store of a project, or another one."""


def runs(client: Client) -> list[Any]:
    """Those of the pipeline; the parent of a sweep is none."""
    experiment = client.get_experiment_by_name("esetrag")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    return [run for run in found if "esetrag.sweep" not in run.data.tags]


def parents(client: Client) -> list[Any]:
    experiment = client.get_experiment_by_name("esetrag")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], "tags.`esetrag.sweep` != ''"))


def assert_complete(project: Project, client: Client, run: Any) -> None:
    """The run shows all there is, whichever stages ran for it."""
    assert run.info.status == "FINISHED"
    expected = {name: str(value) for name, value in project.params["train"].items()}
    assert {key: run.data.params[f"train.{key}"] for key in expected} == expected
    test = project.json("metrics/toy/test.json")
    for reader in ("reader", "ngram", "suffix", "majority", "ceiling"):
        assert run.data.metrics[f"test.{reader}.accuracy"] == test[reader]["accuracy"]
    epochs = project.json("data/toy/model/manifest.json")["training"]["epochs"]
    for curve in ("train_loss", "dev_loss", "dev_accuracy"):
        points = client.get_metric_history(run.info.run_id, curve)
        assert sorted(point.step for point in points) == list(range(epochs + 1)), curve
    pictures = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "plots")}
    assert pictures == {"lengths.png", "curves.png", "confusion.png"}
    assert "reports/data.md" in {file.path for file in client.list_artifacts(run.info.run_id, "reports")}
    table = client.load_table(run.info.experiment_id, "errors.json", [run.info.run_id])
    assert len(table) == project.json("metrics/toy/errors.json")["errors"]
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "toy.tsv"
    assert len(run.outputs.model_outputs) == 1
    (version,) = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert version.name == "toy"
    lock = (project.root / "dvc.lock").read_text("utf-8")
    assert run.data.tags["md5.metrics/toy/test.json"] in lock
