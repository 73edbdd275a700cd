"""MLflow's registry: a model has the name of its task, a version of it is the model of a run."""

from __future__ import annotations

from typing import Any

from esetrag.core.errors import TrackingError
from esetrag.tracking.store import Store

CHAMPION = "champion"
"""The alias of the version that is to be used."""
WHY = "esetrag.champion"
"""The tag of a version that says why it has become the champion."""


def register(opened: Store, task: str, run_id: str) -> Any:
    """The version that is the model of a run; it is made if there is none.

    Args:
        opened: the store.
        task: of the run.
        run_id: of a run whose model is logged.
    """
    client = opened.client
    found = client.search_model_versions(f"name = '{task}' and run_id = '{run_id}'")
    if found:
        return found[0]
    try:
        client.create_registered_model(task, description=f"Reads {task} off word forms: docs/tracking.md")
    except opened.mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model = client.get_run(run_id).outputs.model_outputs[0].model_id
    return client.create_model_version(task, f"models:/{model}", run_id, model_id=model)


def champion(opened: Store, task: str) -> Any:
    """The version that has the alias, or None."""
    found = opened.client.search_registered_models(f"name = '{task}'")
    version = found[0].aliases.get(CHAMPION) if found else None
    return opened.client.get_model_version(task, str(version)) if version else None


def uri(opened: Store, task: str) -> str:
    """Where the champion is.

    Raises:
        TrackingError: if there is none.
    """
    if champion(opened, task) is None:
        raise TrackingError(f"{opened.uri}: {task} has no champion; esetrag promote makes one")
    return f"models:/{task}@{CHAMPION}"


def crown(opened: Store, version: Any, why: str) -> None:
    """Gives the alias to a version.

    Args:
        opened: the store.
        version: of a registered model.
        why: one line, kept with the version.
    """
    opened.client.set_model_version_tag(version.name, version.version, WHY, why)
    opened.client.set_registered_model_alias(version.name, CHAMPION, version.version)
