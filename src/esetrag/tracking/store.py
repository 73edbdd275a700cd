"""The MLflow store: where it is, how it is opened. This module alone imports MLflow, and late."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from esetrag.core.errors import EsetragError, TrackingError

CHECKPOINT = "checkpoint"
"""The folder that a logged model is loaded from, among its artifacts."""
KEY, DIGEST = "esetrag.key", "esetrag.outputs"
"""Tags of a run: the key of its inputs, by which it is found again, and the digest of its artifacts."""
DATABASE, ARTIFACTS, LOCK = "mlflow.db", "mlartifacts", ".mlflow.lock"
VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""A server that is down costs seconds, not MLflow's four minutes; and MLflow does not report its use to its
makers. The environment overrides it."""


@dataclass(frozen=True)
class Store:
    """An opened store, with the project's experiment in it."""

    mlflow: Any
    """The package, for those who may not import it."""
    client: Any
    uri: str
    experiment_id: str

    def runs(self, which: str, most: int = 1) -> list[Any]:
        """The runs of the experiment that MLflow's filter ``which`` names, the newest first."""
        return list(self.client.search_runs([self.experiment_id], which, max_results=most))

    def run(self, key: str) -> Any:
        """The run of the inputs that have the key, or None."""
        return next(iter(self.runs(f"tags.`{KEY}` = '{key}'")), None)

    def finished(self, key: str, digest: str) -> Any:
        """The run of these inputs if it is finished and shows these artifacts, or None."""
        run = self.run(key)
        whole = run and run.info.status == "FINISHED" and run.data.tags.get(DIGEST) == digest
        return run if whole else None

    def named(self, name: str) -> Any:
        """The finished run that a user means by its id or its name, or None.

        Raises:
            TrackingError: if several have the name.
        """
        whole = f"attributes.status = 'FINISHED' AND tags.`{KEY}` != ''"  # the parent of a sweep has no key
        for attribute in ("run_id", "run_name") if "'" not in name else ():
            found = self.runs(f"attributes.{attribute} = '{name}' AND {whole}", 2)
            if len(found) > 1:
                ids = ", ".join(run.info.run_id for run in found)
                raise TrackingError(f"{name}: more than one run has this name; give an id: {ids}")
            if found:
                return found[0]
        return None


@contextmanager
def opened(experiment: str) -> Iterator[Store]:
    """Opens the store, for one process at a time; what the environment says of MLflow is heard.

    Two first users of a new SQLite store would corrupt it, and two of a key make two runs.

    Args:
        experiment: the name of the project's experiment; it is made if there is none.

    Raises:
        TrackingError: if the store cannot be used, also in the middle of it.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for foreign in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.pop(foreign, None)  # a surrounding run is somebody else's
    uri = place()
    import mlflow

    for noisy in ("alembic", "mlflow"):  # a line for every table of a new store
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        with FileLock(root() / LOCK, timeout=60):
            _prepare(uri)
            mlflow.set_tracking_uri(uri)  # MLflow exports it, so the variable is read before
            client = mlflow.MlflowClient()
            # A database file keeps no artifacts, and MLflow's default place for them is a folder of
            # the current directory, a temporary one under dvc exp run --temp.
            artifacts = (root() / ARTIFACTS).as_uri() if uri.startswith("sqlite:") else None
            yield Store(mlflow, client, uri, _experiment(client, experiment, artifacts))
    except EsetragError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise TrackingError(f"{uri}: {reason}") from error


def root() -> Path:
    """The user's repository, also from within the temporary workspace of a DVC experiment."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def place() -> str:
    """Where runs go: ``MLFLOW_TRACKING_URI`` or a SQLite file in the repository."""
    return os.environ.get(VARIABLE) or f"sqlite:///{root() / DATABASE}"


def set_model(load: Callable[[Path], Any]) -> None:
    """Tells MLflow, from within the script of a logged model, what the model is.

    Args:
        load: makes it of the folder logged as ``CHECKPOINT``: an object whose method
            ``predict(table, params)`` gives a table.
    """
    from mlflow.models import set_model
    from mlflow.pyfunc.model import PythonModel

    class Loaded(PythonModel):
        def load_context(self, context: Any) -> None:
            self.model = load(Path(context.artifacts[CHECKPOINT]))

        def predict(
            self,
            context: Any,  # noqa: ARG002
            model_input: pd.DataFrame,  # MLflow makes one of whatever it is given
            params: dict[str, Any] | None = None,
        ) -> pd.DataFrame:
            answer: pd.DataFrame = self.model.predict(model_input, params)
            return answer

    set_model(Loaded())


def exists(uri: str) -> bool:
    """Whether there is a store at a place; of what is no SQLite file, only its use can tell."""
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()


def _prepare(uri: str) -> None:
    """Makes a new SQLite store beside its place and renames it, so that a kill leaves none half made."""
    if exists(uri):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path = Path(uri.removeprefix("sqlite:///"))
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
