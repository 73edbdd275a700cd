"""The checkpoint of a run in the MLflow store. It is data: nothing of the store is executed."""

from __future__ import annotations

from pathlib import Path

from esetrag.core.errors import TrackingError
from esetrag.tracking import registry, store


def checkpoint_of(task: str, experiment: str, name: str | None, folder: Path) -> Path:
    """Downloads the checkpoint of a run's model.

    Args:
        task: of the run.
        experiment: the project's, in the store.
        name: id or name of the run; None is the run of the task's champion.
        folder: where to.

    Returns:
        The folder of the checkpoint, which is not checked yet.

    Raises:
        TrackingError: if there is no such run, no champion, no model, or the store cannot be used.
    """
    with store.opened(experiment) as opened:
        if name is None:
            champion = registry.champion(opened, task)
            if champion is None:
                raise TrackingError(f"{opened.uri}: {task} has no champion; esetrag promote makes one")
            run = opened.client.get_run(champion.run_id)
        else:
            run = opened.named(name)
        models = run.outputs.model_outputs if run and run.outputs else []
        if not models:
            raise TrackingError(f"{opened.uri}: no finished run called {name}; list them: make ui")
        uri = f"models:/{models[-1].model_id}"
        opened.mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
        flavor = opened.mlflow.models.Model.load(str(folder)).flavors["python_function"]
        return folder / str(flavor["artifacts"][store.CHECKPOINT]["path"])
