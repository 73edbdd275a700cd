"""Runs in MLflow, which this module alone imports: a projection of DVC's artifacts.

A run is found by the key of its inputs. ``train`` logs epochs into it as they end, through a
process of its own (``tracker``); the last stage completes it from the artifacts, so what was
cached, or lost on the way to a server, is in it as if it had just been computed. ``esetrag track``
makes it again in any store. Nothing of a run, its id or its time, flows back into an artifact.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from esetrag import params
from esetrag.errors import TrackingError
from esetrag.history import Epoch
from esetrag.layout import Layout
from esetrag.runs import Inputs, Outcome, flat, origin

KEY, DIGEST, RAN = "esetrag.key", "esetrag.outputs", "esetrag.ran"
STORE, ARTIFACTS, LOCK = "mlflow.db", "mlartifacts", ".mlflow.lock"
STORE_VARIABLE = "MLFLOW_TRACKING_URI"
HTTP_LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
"""A server that is down costs seconds, not MLflow's four minutes; the environment overrides it."""
REQUIREMENTS = ("numpy", "pandas", "pyarrow", "pydantic", "PyYAML", "safetensors", "torch")
METRICS_A_CALL = 900


def complete(layout: Layout, given: params.Params, ran: list[str] | None = None) -> str:
    """Makes the run of a finished pipeline whole, or finds it so.

    Args:
        layout: of the task.
        given: all parameters.
        ran: the stages that ran for it; the others were cached. None if that is not known.

    Returns:
        The id of the run.

    Raises:
        TrackingError: if the store cannot be used.
        DataError: if an artifact is missing.
    """
    inputs, outcome = Inputs.of(layout, given), Outcome.of(layout)
    with _store(given.tracking.experiment) as (mlflow, client, experiment_id):
        run = _find(client, experiment_id, inputs.key)
        if run is not None and run.info.status == "FINISHED":
            if run.data.tags.get(DIGEST) == outcome.digest:
                return str(run.info.run_id)
            client.delete_run(run.info.run_id)  # other bytes from the same inputs: artifacts are the truth
            run = None
        if run is not None and not _is_beginning(client, run, outcome.epochs):
            client.delete_run(run.info.run_id)
            run = None
        run = run or _create(client, experiment_id, inputs)
        run_id = str(run.info.run_id)
        stages = {} if ran is None else {RAN: ", ".join(ran) or "none: all cached"}
        tags = {f"md5.{path}": digest for path, digest in outcome.md5.items()} | stages
        for tag, value in tags.items():
            client.set_tag(run_id, tag, value)
        known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
        _log(client, run_id, outcome.metrics, [epoch for epoch in outcome.epochs if epoch.epoch not in known])
        _log_dataset(client, run_id, inputs, outcome)
        for path in outcome.pages:
            client.log_artifact(run_id, str(path), "plots" if path.suffix == ".png" else "reports")
        client.log_table(run_id, outcome.errors, "errors.json")
        if not (run.outputs and run.outputs.model_outputs):
            _log_model(mlflow, run_id, outcome.checkpoint)
        client.set_tag(run_id, DIGEST, outcome.digest)
        client.set_terminated(run_id, "FINISHED")
    return run_id


def follow(layout: Layout, given: params.Params, lines: Iterator[str]) -> None:
    """Logs epochs as they come in; the loop of the tracker's process.

    Args:
        layout: of the task.
        given: all parameters.
        lines: an ``Epoch`` each, as JSON; ``end`` when the training has ended.

    Raises:
        TrackingError: if the store cannot be used.
    """
    inputs = Inputs.of(layout, given)
    with _store(given.tracking.experiment) as (_, client, experiment_id):
        run = _find(client, experiment_id, inputs.key)
        if run is not None and run.info.status == "FINISHED":
            print("ready", flush=True)  # a forced run of a known state: nothing to add
            return
        run = run or _create(client, experiment_id, inputs)
    run_id = run.info.run_id
    client.update_run(run_id, "RUNNING")
    known = {point.step for point in client.get_metric_history(run_id, "dev_loss")}
    print("ready", flush=True)
    for line in lines:
        if line.strip() == "end":
            return
        epoch = Epoch(**json.loads(line))
        if epoch.epoch not in known:
            _log(client, run_id, {}, [epoch])
    client.set_terminated(run_id, "KILLED")  # the training's end of the pipe closed before its end


def root() -> Path:
    """The user's repository, also from within the temporary workspace of a DVC experiment."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def store() -> str:
    """Where runs go: ``MLFLOW_TRACKING_URI`` or a SQLite file in the repository."""
    return os.environ.get(STORE_VARIABLE) or f"sqlite:///{root() / STORE}"


@contextmanager
def _store(experiment: str) -> Iterator[tuple[Any, Any, str]]:
    """MLflow, a client of the store and the id of the experiment, one process at a time.

    Two first users of a new SQLite store would corrupt it, and two of a key make two runs.
    """
    for name, value in HTTP_LIMITS.items():
        os.environ.setdefault(name, value)
    for foreign in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.pop(foreign, None)  # a surrounding run is somebody else's
    place = store()
    import mlflow

    for noisy in ("alembic", "mlflow"):  # a line for every table of a new store
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        with FileLock(root() / LOCK, timeout=60):
            _prepare(place)
            mlflow.set_tracking_uri(place)  # MLflow exports it, so the variable is read before
            client = mlflow.MlflowClient()
            # A database file keeps no artifacts, and MLflow's default place for them is a folder of
            # the current directory, a temporary one under dvc exp run --temp.
            artifacts = (root() / ARTIFACTS).as_uri() if place.startswith("sqlite:") else None
            yield mlflow, client, _experiment(client, experiment, artifacts)
    except TrackingError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise TrackingError(f"{place}: {reason}") from error


def _prepare(place: str) -> None:
    """Makes a new SQLite store beside its place and renames it, so that a kill leaves none half made."""
    path = Path(place.removeprefix("sqlite:///"))
    if not place.startswith("sqlite:///") or path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".mlflow.") as folder:
        new = Path(folder) / path.name
        SqlAlchemyStore(f"sqlite:///{new}", (root() / ARTIFACTS).as_uri()).engine.dispose()
        new.replace(path)


def _experiment(client: Any, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        kind = {"mlflow.experimentKind": "custom_model_development"}  # the UI opens on training runs
        return str(client.create_experiment(name, artifact_location=artifacts, tags=kind))
    if found.lifecycle_stage == "deleted":
        raise TrackingError(f"the experiment {name} is deleted; restore it or change tracking.experiment")
    return str(found.experiment_id)


def _find(client: Any, experiment_id: str, key: str) -> Any:
    found = client.search_runs([experiment_id], filter_string=f"tags.`{KEY}` = '{key}'", max_results=1)
    return found[0] if found else None


def _create(client: Any, experiment_id: str, inputs: Inputs) -> Any:
    from mlflow.entities import Param

    tags = {
        KEY: inputs.key,
        "task": inputs.task,
        "mlflow.source.name": "dvc.yaml",
        **origin(),
        **{f"version.{name}": number for name, number in inputs.versions.items()},
    }
    name = os.environ.get("DVC_EXP_NAME") or f"{inputs.task}-{inputs.key[:7]}"
    run = client.create_run(experiment_id, tags=tags, run_name=name)
    given = [Param(name, str(value)) for name, value in flat(inputs.parameters).items()]
    client.log_batch(run.info.run_id, params=given)
    return run


def _is_beginning(client: Any, run: Any, epochs: list[Epoch]) -> bool:
    """Whether the epochs a run has are those of the artifacts, as far as they go."""
    logged = {point.step: point.value for point in client.get_metric_history(run.info.run_id, "dev_loss")}
    return logged.items() <= {epoch.epoch: epoch.dev_loss for epoch in epochs}.items()


def _log(client: Any, run_id: str, values: dict[str, float], epochs: list[Epoch]) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in values.items()]
    for row in epochs:
        curves = {name: value for name, value in asdict(row).items() if name != "epoch"}
        metrics += [Metric(name, value, now, row.epoch) for name, value in curves.items()]
    for start in range(0, len(metrics), METRICS_A_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_CALL])


def _log_dataset(client: Any, run_id: str, inputs: Inputs, outcome: Outcome) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": inputs.parameters["task"]["raw"], "sha256": inputs.raw_sha256})
    profile = json.dumps({f"{part}_rows": rows for part, rows in outcome.rows.items()})
    table = Dataset(inputs.raw.name, inputs.raw_sha256[:36], "local", source, profile=profile)
    client.log_inputs(run_id, [DatasetInput(table, [InputTag("mlflow.data.context", "training")])])


def _log_model(mlflow: Any, run_id: str, checkpoint: Path) -> None:
    """Logs the reader as a pyfunc whose code travels with it, weights in safetensors: no pickle."""
    from esetrag import serving  # imports torch

    with mlflow.start_run(run_id=run_id):
        mlflow.pyfunc.log_model(
            name="model",
            loader_module="esetrag.serving",
            data_path=str(checkpoint),
            code_paths=[str(Path(__file__).parent)],
            signature=mlflow.models.ModelSignature.from_dict(serving.SIGNATURE),
            input_example=serving.EXAMPLE,
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )


def scoring_server(task: str, experiment: str) -> Any:
    """MLflow's scoring server, an ASGI application, with the model of the task's newest finished run.

    Raises:
        TrackingError: if there is none, or the store cannot be used.
    """
    with _store(experiment) as (mlflow, client, experiment_id):
        which = f"tags.task = '{task}' AND attributes.status = 'FINISHED'"
        runs = client.search_runs([experiment_id], which, max_results=1)  # the newest comes first
        models = runs[0].outputs.model_outputs if runs and runs[0].outputs else []
        if not models:
            raise TrackingError(f"{store()}: no finished run of {task}; run: esetrag track --task {task}")
        model = mlflow.pyfunc.load_model(f"models:/{models[0].model_id}")
    from mlflow.pyfunc import scoring_server

    return scoring_server.init(model)


def main() -> None:
    """The tracker's process: ``python -m esetrag.tracking TASK``, epochs on its standard input."""
    layout = Layout(sys.argv[1])
    try:
        follow(layout, params.load(layout.root / "params.yaml"), iter(sys.stdin.readline, ""))
    except Exception as error:  # noqa: BLE001 whatever the store does, the training goes on
        print(" ".join(str(error).split()), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
