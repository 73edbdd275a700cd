"""Runs in MLflow: a projection of DVC's artifacts.

A run is found by the key of its inputs. ``train`` logs epochs into it as they end, in a
thread of its own (``tracker``); the last stage completes it from the artifacts, so what was
cached, or lost on the way to a server, is in it as if it had just been computed. ``esetrag track``
makes it again in any store. Nothing of a run, its id or its time, flows back into an artifact.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.tracking import registry, runs, store, sweep
from esetrag.tracking.runs import EXPERIMENT, Inputs, Outcome, flat
from esetrag.tracking.store import Store
from esetrag.training.history import Epoch

RAN = "esetrag.ran"
PACKAGE = Path(__file__).parents[1]
REQUIREMENTS = ("filelock", "numpy", "pandas", "pyarrow", "pydantic", "PyYAML", "safetensors", "torch")
METRICS_A_CALL = 900


def complete(
    layout: Layout,
    given: config.Params,
    ran: list[str] | None = None,
    origin: dict[str, str] | None = None,
) -> str:
    """Makes the run of a finished pipeline whole, or finds it so.

    Args:
        layout: of the task.
        given: all parameters.
        ran: the stages that ran for it; the others were cached. None if that is not known.
        origin: tags of the commit and the experiment; None are those that run here.

    Returns:
        The id of the run.

    Raises:
        TrackingError: if the store cannot be used.
        DataError: if an artifact is missing.
    """
    inputs, outcome = runs.finished(layout, given)
    origin = runs.origin() if origin is None else origin
    with store.opened(given.tracking.experiment) as opened:
        client, run = opened.client, opened.run(inputs.key)
        if run is not None and run.info.status == "FINISHED":
            if run.data.tags.get(store.DIGEST) == outcome.digest:
                return str(run.info.run_id)
            client.delete_run(run.info.run_id)  # other bytes from the same inputs: artifacts are the truth
            run = None
        if run is not None and not _is_beginning(client, run, outcome.epochs):
            client.delete_run(run.info.run_id)
            run = None
        run = run or _create(opened, inputs, origin)
        run_id = str(run.info.run_id)
        stages = {} if ran is None else {RAN: ", ".join(ran) or "none: all cached"}
        tags = {f"md5.{path}": digest for path, digest in outcome.md5.items()} | stages
        client.log_batch(
            run_id, tags=[opened.mlflow.entities.RunTag(tag, value) for tag, value in tags.items()]
        )
        known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
        _log(opened, run_id, outcome.metrics, [epoch for epoch in outcome.epochs if epoch.epoch not in known])
        _log_dataset(opened, run_id, inputs, outcome)
        for path in outcome.pages:
            client.log_artifact(run_id, str(path), "plots" if path.suffix == ".png" else "reports")
        client.log_artifact(run_id, str(layout.predictions))  # what runs are compared by, word by word
        client.log_table(run_id, outcome.errors, "errors.json")
        if not (run.outputs and run.outputs.model_outputs):
            _log_model(opened, run_id, outcome.checkpoint)
        registry.register(opened, layout.task, run_id)
        client.set_tag(run_id, store.DIGEST, outcome.digest)
        client.set_terminated(run_id, "FINISHED")
    return run_id


def follow(
    layout: Layout, params: config.Params, event: Callable[[], Epoch | bool], ready: Callable[[], None]
) -> None:
    """Logs epochs as they end; runs in the tracker's thread.

    Args:
        layout: of the task.
        params: all parameters.
        event: waits for the next epoch; true when the training has ended, false if it was stopped.
        ready: called once the run is there.

    Raises:
        TrackingError: if the store cannot be used.
    """
    inputs = Inputs.of(layout, params)
    with store.opened(params.tracking.experiment) as opened:
        run = opened.run(inputs.key)
        if run is not None and run.info.status == "FINISHED":
            return  # a forced run of a known state: nothing to add
        run = run or _create(opened, inputs, runs.origin())
    client, run_id = opened.client, run.info.run_id
    client.update_run(run_id, "RUNNING")
    known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
    ready()
    while isinstance(epoch := event(), Epoch):
        if epoch.epoch not in known:
            _log(opened, run_id, {}, [epoch])
    if not epoch:
        client.set_terminated(run_id, "KILLED")


def _create(opened: Store, inputs: Inputs, origin: dict[str, str]) -> Any:
    tags = {
        store.KEY: inputs.key,
        "task": inputs.task,
        "mlflow.source.name": "dvc.yaml",
        **origin,
        **sweep.tags(opened, inputs.task, origin),
        **{f"version.{name}": number for name, number in inputs.versions.items()},
    }
    name = origin.get(EXPERIMENT) or f"{inputs.task}-{inputs.key[:7]}"
    run = opened.client.create_run(opened.experiment_id, tags=tags, run_name=name)
    param = opened.mlflow.entities.Param
    given = [param(name, str(value)) for name, value in flat(inputs.parameters).items()]
    opened.client.log_batch(run.info.run_id, params=given)
    return run


def _is_beginning(client: Any, run: Any, epochs: list[Epoch]) -> bool:
    """Whether the epochs a run has are those of the artifacts, as far as they go."""
    logged = {point.step: point.value for point in client.get_metric_history(run.info.run_id, "dev_loss")}
    return logged.items() <= {epoch.epoch: epoch.dev_loss for epoch in epochs}.items()


def _log(opened: Store, run_id: str, values: dict[str, float], epochs: list[Epoch]) -> None:
    metric, now = opened.mlflow.entities.Metric, int(time.time() * 1000)
    metrics = [metric(name, value, now, 0) for name, value in values.items()]
    for row in epochs:
        curves = {name: value for name, value in asdict(row).items() if name != "epoch"}
        metrics += [metric(name, value, now, row.epoch) for name, value in curves.items()]
    for start in range(0, len(metrics), METRICS_A_CALL):
        opened.client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_CALL])


def _log_dataset(opened: Store, run_id: str, inputs: Inputs, outcome: Outcome) -> None:
    entities = opened.mlflow.entities
    source = json.dumps({"uri": inputs.parameters["task"]["raw"], "sha256": inputs.raw_sha256})
    profile = json.dumps({f"{part}_rows": rows for part, rows in outcome.rows.items()})
    table = entities.Dataset(inputs.raw.name, inputs.raw_sha256[:36], "local", source, profile=profile)
    context = entities.InputTag("mlflow.data.context", "training")
    opened.client.log_inputs(run_id, [entities.DatasetInput(table, [context])])


def _log_model(opened: Store, run_id: str, checkpoint: Path) -> None:
    """Logs the reader as a pyfunc from code that travels with it, weights in safetensors: no pickle."""
    from esetrag.predict import serving

    mlflow = opened.mlflow

    def save(validate_serving_input: bool, **given: Any) -> None:  # noqa: ARG001
        mlflow.pyfunc.save_model(**given)

    # As mlflow.pyfunc.log_model, which would also load the model, and PyTorch, to read the example:
    # half of what the tracking takes. Tests load it.
    with mlflow.start_run(run_id=run_id):
        mlflow.models.Model.log(
            artifact_path=None,
            name="model",
            flavor=SimpleNamespace(save_model=save),
            flavor_name="mlflow.pyfunc",
            validate_serving_input=False,
            python_model=str(PACKAGE / "tracking/model_code.py"),
            artifacts={store.CHECKPOINT: str(checkpoint)},
            code_paths=[str(PACKAGE)],
            signature=mlflow.models.ModelSignature.from_dict(serving.SIGNATURE),
            input_example=serving.EXAMPLE,
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )
