"""The champion of a task: real runs challenge it, and it predicts from another folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.pipeline.logged import Open, runs
from tests.project import Project

WORDS = ["barában", "dáraból", "kasat"]
ELSEWHERE = """
import json, sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/toy@champion")
print(json.dumps(list(model.predict(sys.argv[2:])["label"])))
"""


def predicted_elsewhere(project: Project, folder: Path) -> list[str]:
    """Labels of the words, by MLflow alone in another folder; esetrag is installed."""
    command = [sys.executable, "-c", ELSEWHERE, f"sqlite:///{project.root / 'mlflow.db'}", *WORDS]
    env = {**project.environment(), "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_a_better_run_takes_over_and_the_champion_predicts_anywhere(
    changed: Project, client: Open, tmp_path: Path
) -> None:
    store = client(changed)
    (first,) = runs(store)
    changed.change(train={"epochs": 1, "analogies": 0}, models={"bilstm": {"lemmas": False}})
    done = changed.run("esetrag", "promote", code=2)  # there is no such run
    assert done.stderr.count("\n") == 1
    assert "no finished run of toy of the files as they are now" in done.stderr
    changed.run("dvc", "exp", "run", "--name", "worse")
    done = changed.run("esetrag", "promote")
    assert done.stdout == "toy had no champion.\ntoy: version 2 is the champion now.\n"
    shown = changed.run("esetrag", "predict", *WORDS, "--task", "toy").stdout
    assert predicted_elsewhere(changed, tmp_path) == [line.split()[1] for line in shown.splitlines()]

    done = changed.run("esetrag", "promote", "HEAD")  # the commit that the first run is of
    assert "more of 84 forms than version 2" in done.stdout
    assert done.stdout.endswith("toy: version 1 is the champion now.\n")
    done = changed.run("esetrag", "promote", "worse", code=1)
    assert done.stdout.endswith("version 1 stays the champion; to promote version 2 still: --anyway\n")
    assert done.stderr == ""
    assert store.get_model_version_by_alias("toy", "champion").run_id == first.info.run_id
