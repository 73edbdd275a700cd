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
    experiment = client.get_experiment_by_name("esetrag/toy")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def assert_complete(project: Project, client: Client, run: Any) -> None:
    """The run shows all there is, whichever stages ran for it."""
    assert run.info.status == "FINISHED"
    assert run.data.params["train.epochs"] == str(project.params["train"]["epochs"])
    test = project.json("metrics/toy/test.json")
    assert run.data.metrics["test_accuracy"] == round(test["models"][test["model"]]["accuracy"], 4)
    for name in test["baselines"]:
        assert run.data.metrics[f"baseline_{name}_accuracy"] == round(test["models"][name]["accuracy"], 4)
    epochs = project.json("data/toy/model/manifest.json")["training"]["epochs"]
    for curve in ("train_loss", "dev_loss", "dev_accuracy"):
        points = client.get_metric_history(run.info.run_id, curve)
        assert sorted(point.step for point in points) == list(range(epochs + 1)), curve
    pictures = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "plots")}
    assert pictures == {"lengths.png", "curves.png", "confusion.png"}
    assert "reports/data.md" in {file.path for file in client.list_artifacts(run.info.run_id, "reports")}
    names = {entry.dataset.name for entry in run.inputs.dataset_inputs}
    assert names == {"toy-train", "toy-dev", "toy-test"}
    assert len(run.outputs.model_outputs) == 1
    (version,) = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert version.name == "toy"
