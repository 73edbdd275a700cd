"""The MLflow store: where it is and how it is opened. This module alone imports MLflow, and late."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
from filelock import FileLock

from esetrag.core.errors import EsetragError, TrackingError

CHECKPOINT = "checkpoint"
"""What a logged model calls the folder that it is loaded from."""
KEY, RESULTS, MODEL = "esetrag.key", "esetrag.results", "esetrag.model"
"""Tags of a run: the key of its inputs, the digest of its results, the id of its logged model."""
CHAMPION = "champion"
"""The alias of the model version that is to be used."""
TRAIN_SECONDS = "train_seconds"
"""A metric of a run whose training was followed: no artifact knows a time."""
VIEW = "results"
COLUMNS = {
    **dict.fromkeys(["params.`task.model`", "params.`sample.train`"], 105),
    **{
        f"metrics.`{name}`": 30 + 7 * len(name)
        for name in (
            *("test_accuracy", "baseline_accuracy", "best_dev_accuracy", "upper_bound", "test_macro_f1"),
            *("test_ece", TRAIN_SECONDS, "test_accuracy_low", "test_accuracy_high"),
        )
    },
}
"""What the list of runs shows in this view, by the width in pixels; MLflow shows no metric by itself."""
STATE = {
    "selectedColumns": [*COLUMNS], "columnOrder": [*COLUMNS], "columnWidths": COLUMNS,
    "orderByKey": "metrics.`test_accuracy`", "orderByAsc": False,
}  # fmt: skip
TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    f"mlflow.sharedViewState.{VIEW}": json.dumps(
        {"name": VIEW, "createdAt": 0, "updatedAt": 0, "state": json.dumps(STATE)}
    ),
}
"""Of an experiment: it is of training runs, not of traces and prompts, and has a view of them."""
DATABASE, ARTIFACTS, LOCK = "mlflow.db", "mlartifacts", ".mlflow.lock"
VARIABLE = "MLFLOW_TRACKING_URI"
SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""A server that is down costs seconds, not MLflow's four minutes; and MLflow does not report its use to its
makers. The environment overrides it."""
_USER = re.compile(r"(?<=://)[^/\s]+@")
_QUERY = re.compile(r"(?i)(?<=[?&])(\w*(?:token|passw|pwd|secret|key|sig)\w*=)[^&#\s'\"]+")


@dataclass(frozen=True)
class Store:
    """An opened store, with the project's experiment in it."""

    mlflow: Any
    """The package, for those who may not import it."""
    client: Any
    uri: str
    """As it may be shown (``masked``)."""
    experiment_id: str

    def runs(self, where: str, most: int = 2) -> list[Any]:
        """The runs of the experiment that MLflow's filter ``where`` selects, the newest first."""
        return list(self.client.search_runs([self.experiment_id], where, max_results=most))

    def run(self, key: str, results: str) -> Any:
        """The run of these inputs and results, whatever its status, or None."""
        return next(iter(self.runs(f"tags.`{KEY}` = '{key}' AND tags.`{RESULTS}` = '{results}'")), None)

    def unfinished(self, key: str) -> Any:
        """The run of these inputs that has no results yet, or None."""
        rows = self.runs(f"tags.`{KEY}` = '{key}' AND attributes.status != 'FINISHED'", 100)
        return next((run for run in rows if RESULTS not in run.data.tags), None)

    def named(self, name: str) -> Any:
        """The finished run that has this id or name, or None; TrackingError if several have the name."""
        finished = f"attributes.status = 'FINISHED' AND tags.`{RESULTS}` != ''"
        for attribute in ("run_id", "run_name") if "'" not in name else ():
            rows = self.runs(f"attributes.{attribute} = '{name}' AND {finished}")
            if len(rows) > 1:
                ids = ", ".join(run.info.run_id for run in rows)
                raise TrackingError(f"{name}: more than one run has this name; give an id: {ids}")
            if rows:
                return rows[0]
        return None

    def page(self, server: str) -> str:
        """The address of the run list at a server, with its figures; else MLflow opens pages for LLMs."""
        query = f"viewStateShareKey={VIEW}&workflowType=machine_learning"
        return f"{server}/#/experiments/{self.experiment_id}/runs?{query}"

    def champion(self, task: str) -> Any:
        """The version of the task's registered model that has the alias, or None."""
        models = self.client.search_registered_models(f"name = '{task}'")
        version = models[0].aliases.get(CHAMPION) if models else None
        return self.client.get_model_version(task, str(version)) if version else None

    def checkpoint(self, uri: str, folder: Path) -> Path:
        """Downloads a logged model (``models:/m-…``) into a folder; returns its checkpoint's there."""
        self.mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
        flavor = self.mlflow.models.Model.load(str(folder)).flavors["python_function"]
        return folder / str(flavor["artifacts"][CHECKPOINT]["path"])

    def save_model(self, folder: Path, signature: dict[str, str], **model: Any) -> None:
        """``mlflow.pyfunc.save_model`` of a script; takes this machine's paths out of ``MLmodel``."""
        typed = self.mlflow.models.ModelSignature.from_dict(signature)
        self.mlflow.pyfunc.save_model(path=str(folder), signature=typed, **model)
        saved = self.mlflow.models.Model.load(str(folder))
        flavor = saved.flavors["python_function"]
        flavor["model_code_path"] = Path(model["python_model"]).name
        for artifact in flavor["artifacts"].values():
            artifact["uri"] = artifact["path"]
        saved.save(str(folder / "MLmodel"))


@contextmanager
def opened(experiment: str) -> Iterator[Store]:
    """Opens the store and the project's experiment, which are made if there are none.

    For one process at a time: two first users of a new SQLite store would corrupt it, and two of a
    key make two runs.

    Raises:
        TrackingError: if the store cannot be used, also in the middle of it; without any secret.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for foreign in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.pop(foreign, None)  # a surrounding run is somebody else's
    uri = _place()
    if re.fullmatch(r"[\w.-]+:\d+(/.*)?", uri):
        raise TrackingError(f"{VARIABLE}: expected a URL, found {uri}; did you mean http://{uri}?")
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
            yield Store(mlflow, client, address(), _experiment(client, experiment, artifacts))
    except EsetragError:
        raise
    except Exception as error:  # noqa: BLE001 whatever MLflow raises
        reason = masked(" ".join(str(error).split()))[:500]
        raise TrackingError(f"{masked(uri)}: {reason}") from None  # the cause may hold a password


def masked(text: str) -> str:
    """A text without what the store's address and variables keep secret.

    >>> masked("http://alice:s3cret@127.0.0.1:5000?token=abc")
    'http://***@127.0.0.1:5000?token=***'
    """
    secrets = {os.environ.get(name, "") for name in SECRETS}
    if user := _USER.search(os.environ.get(VARIABLE, "")):
        secret = user.group()[:-1].partition(":")[2]
        secrets |= {secret, unquote(secret)}
    text = _QUERY.sub(r"\1***", _USER.sub("***@", text))
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def root() -> Path:
    """The user's repository, also from within the temporary workspace of a DVC experiment."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def browse(experiments: list[str], port: int) -> None:
    """Prints where MLflow's pages show the runs of experiments; serves them if no server does it already."""
    place = _place()
    for name in experiments:
        with opened(name) as store:
            server = address() if place.startswith("http") else f"http://127.0.0.1:{port}"
            print(f"{name}: {store.page(server)}", flush=True)
    if not place.startswith("http"):
        options = ["--backend-store-uri", place, "--host", "127.0.0.1", "--port", str(port)]
        os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *options])  # noqa: S606


def address() -> str:
    """Where runs go, as it may be shown: without a password."""
    return masked(_place())


def exists() -> bool:
    """Whether there is a store; of what is no SQLite file, only its use can tell."""
    uri = _place()
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()


def set_model(load: Callable[[Path], Any]) -> None:
    """Tells MLflow, from within the script of a logged model, what the model is.

    ``load`` makes it of the checkpoint's folder; its ``predict(table, params)`` gives a table.
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


def _place() -> str:
    return os.environ.get(VARIABLE) or f"sqlite:///{root() / DATABASE}"


def _prepare(uri: str) -> None:
    """Makes a new SQLite store beside its place and renames it, so that a kill leaves none half made."""
    if not uri.startswith("sqlite:///") or exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path = Path(uri.removeprefix("sqlite:///"))
    folder = path.with_name(f".{path.name}.new")
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    folder.mkdir()
    SqlAlchemyStore(f"sqlite:///{folder / path.name}", (root() / ARTIFACTS).as_uri()).engine.dispose()
    (folder / path.name).replace(path)
    shutil.rmtree(folder)


def _experiment(client: Any, name: str, artifacts: str | None) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name, artifact_location=artifacts, tags=TAGS))
    if experiment.lifecycle_stage == "deleted":
        raise TrackingError(f"the experiment {name} is deleted; restore it or change tracking.experiment")
    for key, value in TAGS.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return str(experiment.experiment_id)
