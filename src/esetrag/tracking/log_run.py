"""Runs in MLflow: a projection of DVC's artifacts.

A run is found by the key of its inputs and the digest of its results. ``train`` logs epochs into an
unfinished one as they end, in a thread of its own (``tracker``); the last stage completes it
from the artifacts, so what was cached, or lost on the way to a server, is in it as if it had just
been computed. ``esetrag track`` makes it again in any store, and heals one that lacks something.
Nothing of a run, its id or its time, flows back into an artifact.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from esetrag.core import config, files, tables, versions
from esetrag.core.errors import TrackingError
from esetrag.core.layout import PARTS, Layout
from esetrag.tracking import runs, store
from esetrag.tracking.runs import EXPERIMENT, Inputs, Outcome
from esetrag.tracking.store import Store
from esetrag.training.history import Epoch

MODEL_CODE = Path(__file__).with_name("model_code.py")
REQUIREMENTS = ("filelock", "numpy", "pandas", "pyarrow", "pydantic", "PyYAML", "safetensors", "torch")
"""Of a logged model, beside esetrag itself, which is in no registry: docs/tracking.md."""
CURVES = ("train_loss", "dev_loss", "train_accuracy", "dev_accuracy")
CONTEXTS = dict(zip(PARTS, ("training", "validation", "testing"), strict=True))
"""What MLflow calls the parts."""
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as the description of a run."""
METRICS_A_CALL = 900


def complete(layout: Layout, params: config.Params, origin: dict[str, str] | None = None) -> str:
    """Makes the run of a finished pipeline whole, or finds it so.

    Args:
        layout: of the task.
        params: all parameters.
        origin: tags of the commit and the experiment; None are those that run here.

    Returns:
        The id of the run, of which every artifact was read back.

    Raises:
        TrackingError: if the store cannot be used, or loses an artifact.
        DataError: if an artifact is missing.
    """
    inputs, outcome = runs.finished(layout, params)
    origin = runs.origin() if origin is None else origin
    with store.opened(params.experiment_of(layout.task)) as opened, tempfile.TemporaryDirectory() as folder:
        client = opened.client
        begun, run = opened.unfinished(inputs.key), opened.run(inputs.key, outcome.results)
        if begun is not None and (run is not None or not _is_beginning(client, begun, outcome.epochs)):
            client.delete_run(begun.info.run_id)  # trained again to the same results, or to others
            begun = None
        run = run or begun or _create(opened, inputs, origin)
        run_id = str(run.info.run_id)
        artifacts = outcome.artifacts | _tables(Path(folder), layout, inputs, outcome)
        if run.info.status == "FINISHED":
            if not _stale(opened, run_id, artifacts) and _has_model(opened, run, layout):
                return run_id
            client.update_run(run_id, "RUNNING")
        client.set_tag(run_id, store.RESULTS, outcome.results)
        report = f"#/experiments/{opened.experiment_id}/runs/{run_id}/artifacts/reports/report.html"
        client.set_tag(run_id, NOTE, _description(inputs, outcome, report))
        _log_params(opened, run_id, inputs)  # whoever created the run may have been killed
        known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
        _log(opened, run_id, outcome.metrics, [epoch for epoch in outcome.epochs if epoch.epoch not in known])
        _log_datasets(opened, run_id, layout, inputs, outcome)
        for name, path in _stale(opened, run_id, artifacts).items():
            client.log_artifact(run_id, str(path), str(Path(name).parent).strip(".") or None)
        if lost := _stale(opened, run_id, artifacts):
            raise TrackingError(f"{opened.uri}: {', '.join(lost)} of run {run_id} cannot be read back")
        if not _has_model(opened, run, layout):
            run = _log_model(opened, run, layout)
            if not _has_model(opened, run, layout):
                raise TrackingError(f"{opened.uri}: the model of run {run_id} cannot be read back")
        register(opened, run_id)
        client.set_terminated(run_id, "FINISHED")
    return run_id


def register(opened: Store, run_id: str) -> Any:
    """The version of the task's registered model that is a run's model; it is made if there is none."""
    client, run = opened.client, opened.client.get_run(run_id)
    task, model = run.data.tags["task"], run.data.tags[store.MODEL]
    for known in client.search_model_versions(f"name = '{task}' and run_id = '{run_id}'"):
        if known.source == f"models:/{model}":
            return known
    try:
        client.create_registered_model(task, description=f"Models of the task {task}: docs/tracking.md")
    except opened.mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    figures = {name: f"{value:.4f}" for name, value in run.data.metrics.items() if name not in CURVES}
    note = run.data.tags.get(NOTE)
    return client.create_model_version(task, f"models:/{model}", run_id, figures, None, note, model_id=model)


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
    start, inputs = time.monotonic(), Inputs.of(layout, params)
    with store.opened(params.experiment_of(layout.task)) as opened:
        run = opened.unfinished(inputs.key) or _create(opened, inputs, runs.origin())
    client, run_id = opened.client, run.info.run_id
    client.update_run(run_id, "RUNNING")
    known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
    ready()
    while isinstance(epoch := event(), Epoch):
        if epoch.epoch not in known:
            _log(opened, run_id, {}, [epoch])
    if not epoch:
        client.set_terminated(run_id, "KILLED")
    elif not known:  # of one that was resumed it would be a part
        _log(opened, run_id, {store.TRAIN_SECONDS: round(time.monotonic() - start, 1)}, [])


def _create(opened: Store, inputs: Inputs, origin: dict[str, str]) -> Any:
    tags = {store.KEY: inputs.key, "task": inputs.task, "mlflow.source.name": "dvc.yaml", **origin}
    name = origin.get(EXPERIMENT) or f"{inputs.task}-{inputs.key[:7]}"
    run = opened.client.create_run(opened.experiment_id, tags=tags, run_name=name)
    _log_params(opened, run.info.run_id, inputs)
    return run


def _log_params(opened: Store, run_id: str, inputs: Inputs) -> None:
    params = [opened.mlflow.entities.Param(name, str(value)) for name, value in inputs.params.items()]
    opened.client.log_batch(run_id, params=params)


def _is_beginning(client: Any, run: Any, epochs: list[Epoch]) -> bool:
    """Whether the epochs a run has are those of the artifacts, as far as they go."""
    logged = {point.step: point.value for point in client.get_metric_history(run.info.run_id, "dev_loss")}
    return logged.items() <= {epoch.epoch: epoch.dev_loss for epoch in epochs}.items()


def _description(inputs: Inputs, outcome: Outcome, report: str) -> str:
    """The run in a few lines of Markdown."""
    test, metrics = outcome.test, outcome.metrics
    low, high, ours = (f"{metrics[f'test_accuracy{end}']:.2%}" for end in ("_low", "_high", ""))
    best = max(test["baselines"], key=lambda name: float(test["models"][name]["accuracy"]))
    return (
        f"**{inputs.task}**: {test['model']}, trained on {outcome.rows['train']:,} rows of "
        f"{', '.join(inputs.raw)}.\n\n"
        f"Test accuracy {ours} ({test['confidence']:.0%} interval {low} to {high}, "
        f"{outcome.rows['test']:,} rows); best baseline {best}: "
        f"{test['models'][best]['accuracy']:.2%}; upper bound {metrics['upper_bound']:.2%}.\n\n"
        f"Everything else: [report.html]({report}) among the artifacts."
    )


def _tables(folder: Path, layout: Layout, inputs: Inputs, outcome: Outcome) -> dict[str, Path]:
    """Writes what a run shows beside the pipeline's own artifacts."""
    hashes = {"raw_sha256": inputs.raw, "artifacts_md5": outcome.md5}
    files.write_json(folder / "hashes.json", hashes | {"versions": versions.of(layout.manifest)})
    files.write_csv(folder / "errors.csv", tables.read(layout.errors, tables.ERRORS).to_pandas())
    return {name: folder / name for name in ("hashes.json", "errors.csv")}


def _stale(opened: Store, run_id: str, artifacts: dict[str, Path]) -> dict[str, Path]:
    """The artifacts that cannot be read back from a run as they are here."""
    with tempfile.TemporaryDirectory() as folder:
        opened.client.download_artifacts(run_id, "", folder)
        return {name: path for name, path in artifacts.items() if not _same(Path(folder) / name, path)}


def _same(copy: Path, path: Path) -> bool:
    return copy.is_file() and files.md5(copy) == files.md5(path)


def _has_model(opened: Store, run: Any, layout: Layout) -> bool:
    """Whether the model that a run names is ready, and read back is the checkpoint that is here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            model = opened.client.get_logged_model(run.data.tags[store.MODEL])
            checkpoint = opened.checkpoint(model.model_uri, Path(folder))
        except (KeyError, opened.mlflow.MlflowException, OSError):
            return False
        whole = all(_same(checkpoint / path.name, path) for path in (layout.manifest, layout.weights))
        return whole and str(model.status) == "READY"


def _log_model(opened: Store, run: Any, layout: Layout) -> Any:
    """Logs a pyfunc from code, weights in safetensors: no pickle. Gives the run, which names it then.

    Not by ``mlflow.pyfunc.log_model``, which would also load the model, and PyTorch, to predict the
    example: half of what the tracking takes. Tests load it.
    """
    from esetrag.predict import pyfunc

    client, run_id = opened.client, run.info.run_id
    models = client.search_logged_models([opened.experiment_id], f"source_run_id = '{run_id}'")
    model = models[0] if models else client.create_logged_model(opened.experiment_id, "model", run_id)
    client.set_tag(run_id, store.MODEL, model.model_id)
    if not models:
        client.log_outputs(run_id, [opened.mlflow.entities.LoggedModelOutput(model.model_id, 0)])
    with tempfile.TemporaryDirectory() as folder:
        opened.save_model(
            Path(folder) / "model",
            pyfunc.SIGNATURE,
            python_model=str(MODEL_CODE),
            artifacts={store.CHECKPOINT: str(layout.checkpoint)},
            input_example=pyfunc.example(files.read_json(layout.manifest)),
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )
        client.log_model_artifacts(model.model_id, f"{folder}/model")
    client.finalize_logged_model(model.model_id, "READY")
    return client.get_run(run_id)


def _log(opened: Store, run_id: str, values: dict[str, float], epochs: list[Epoch]) -> None:
    metric, now = opened.mlflow.entities.Metric, int(time.time() * 1000)
    metrics = [metric(name, value, now, 0) for name, value in values.items()]
    metrics += [metric(name, asdict(row)[name], now, row.epoch) for row in epochs for name in CURVES]
    for start in range(0, len(metrics), METRICS_A_CALL):
        opened.client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_CALL])


def _log_datasets(opened: Store, run_id: str, layout: Layout, inputs: Inputs, outcome: Outcome) -> None:
    """Logs the parts. MLflow keeps one dataset of a name and digest, so the digest is that of the rows."""
    entities, source = opened.mlflow.entities, json.dumps(inputs.raw)
    logged = []
    for part, context in CONTEXTS.items():
        digest = outcome.md5[layout.sample(part).relative_to(layout.root).as_posix()]
        labels = pq.read_table(layout.sample(part), columns=["label"])["label"]
        profile = json.dumps({"num_rows": outcome.rows[part], "num_labels": len(labels.unique())})
        rows = entities.Dataset(f"{inputs.task}-{part}", digest, "local", source, profile=profile)
        logged.append(entities.DatasetInput(rows, [entities.InputTag("mlflow.data.context", context)]))
    opened.client.log_inputs(run_id, logged)
