"""Projects a finished pipeline into MLflow; the only module that imports it.

DVC's artifacts are the truth and a run is made from them alone, so it can be made again at any
time: ``esetrag track``. Nothing of a run, its id, its time, flows back into an artifact.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from esetrag import params, runs
from esetrag.errors import TrackingError
from esetrag.layout import Layout
from esetrag.runs import Run

KEY = "esetrag.key"
STORE, ARTIFACTS, LOCK = "mlflow.db", "mlartifacts", ".mlflow.lock"
STORE_VARIABLE = "MLFLOW_TRACKING_URI"
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
"""A server that is down costs seconds, not MLflow's four minutes; the environment overrides it."""
REQUIREMENTS = ("numpy", "pyarrow", "pydantic", "PyYAML", "safetensors", "torch")


def log(layout: Layout) -> None:
    """Logs the pipeline run of a task; whatever the store does, its results stand.

    Args:
        layout: of the task; ``params.yaml`` is read beside it.
    """
    given = params.load(layout.root / "params.yaml")
    if not given.tracking.enabled:
        return
    try:
        project(runs.collect(layout, given), given.tracking.experiment)
    except Exception as error:  # noqa: BLE001 a store fails in many ways, none may cost a result
        reason = " ".join(str(error).split())[:200]
        print(f"tracking: the run was not logged ({reason}); log it later: esetrag track", file=sys.stderr)


def project(run: Run, experiment: str) -> str:
    """Makes the MLflow run of a pipeline state, unless the store has it.

    Args:
        run: the state.
        experiment: name of the MLflow experiment.

    Returns:
        The id of the run.

    Raises:
        TrackingError: if the store cannot be used.
    """
    mlflow = _mlflow()
    place, artifacts = store(), None if os.environ.get(STORE_VARIABLE) else (root() / ARTIFACTS).as_uri()
    with FileLock(root() / LOCK, timeout=60):  # two first users of a new store would corrupt it
        mlflow.set_tracking_uri(place)  # MLflow exports it, so the variable is read before
        client = mlflow.MlflowClient()
        experiment_id = _experiment(client, experiment, artifacts)
        for known in client.search_runs([experiment_id], filter_string=f"tags.`{KEY}` = '{run.key}'"):
            if known.info.status == "FINISHED":
                return str(known.info.run_id)
            client.delete_run(known.info.run_id)  # begun and never ended: made anew
    name = os.environ.get("DVC_EXP_NAME") or f"{run.task}-{run.key[:7]}"
    with mlflow.start_run(
        experiment_id=experiment_id,
        run_name=name,
        tags={**run.tags, KEY: run.key, "mlflow.source.name": "dvc.yaml"},
    ) as active:
        run_id = str(active.info.run_id)
        _log_figures(client, run_id, run)
        for path in run.files:
            client.log_artifact(run_id, str(path), "plots" if path.suffix == ".png" else "reports")
        if run.errors:
            columns = {name: [row[name] for row in run.errors] for name in run.errors[0]}
            client.log_table(run_id, columns, "errors.json")
        _log_model(run.checkpoint)
    return run_id


def root() -> Path:
    """The user's repository, also from within the temporary workspace of a DVC experiment."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def store() -> str:
    """Where runs go: ``MLFLOW_TRACKING_URI`` or a SQLite file in the repository."""
    return os.environ.get(STORE_VARIABLE) or f"sqlite:///{root() / STORE}"


def _mlflow() -> Any:
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    import mlflow

    for noisy in ("alembic", "mlflow"):  # a line for every table of a new store
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return mlflow


def _experiment(client: Any, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            raise TrackingError(f"the experiment {name} is deleted; restore it or change tracking.experiment")
        return str(found.experiment_id)
    # For a local store the place is given: MLflow's default is a folder of the current directory,
    # which is a temporary one under dvc exp run --temp.
    kind = {"mlflow.experimentKind": "custom_model_development"}  # the UI opens on training runs
    return str(client.create_experiment(name, artifact_location=artifacts, tags=kind))


def _log_figures(client: Any, run_id: str, run: Run) -> None:
    from mlflow.entities import Metric, Param

    curves = ("train_loss", "train_accuracy", "dev_loss", "dev_accuracy", "learning_rate")
    now = int(time.time() * 1000)
    steps = [Metric(name, getattr(row, name), now, row.epoch) for row in run.epochs for name in curves]
    values = [Metric(name, value, now, 0) for name, value in run.metrics.items()]
    given = [Param(name, value) for name, value in run.params.items()]
    metrics = [*values, *steps]
    client.log_batch(run_id, metrics=metrics[:900], params=given[:100])  # the API's limits for one call
    for start in range(900, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[start : start + 1000])


def _log_model(checkpoint: Path) -> None:
    """Logs the reader as a pyfunc whose code travels with it, weights in safetensors: no pickle."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.string, "form")]),
        outputs=Schema([ColSpec(DataType.string, "label"), ColSpec(DataType.double, "probability")]),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        mlflow.pyfunc.log_model(
            name="model",
            loader_module="esetrag.serving",
            data_path=str(checkpoint),
            code_paths=[str(Path(__file__).parent)],
            signature=signature,
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )
