"""The champion of a task: real runs challenge it, and it is read where the project is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

from tests.pipeline.logged import Open, runs
from tests.pipeline.test_serving import start
from tests.project import Project

WORDS = ["barában", "dáraból", "kasat"]
ELSEWHERE = """
import json, sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/toy@champion")
import esetrag
print(json.dumps([esetrag.__file__, list(model.predict(sys.argv[2:])["label"])]))
"""


def read_elsewhere(store: Path, folder: Path) -> list[str]:
    """Labels of the words, read by a Python that has the dependencies and not the project."""
    command = [sys.executable, "-S", "-c", ELSEWHERE, f"sqlite:///{store}", *WORDS]
    env = {"PYTHONPATH": sysconfig.get_path("purelib"), "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    module, labels = json.loads(done.stdout.splitlines()[-1])
    assert "mlartifacts" in module  # the code is the model's own
    return list(labels)


def served(project: Project) -> list[str]:
    """Labels of the words, read by the server of the champion."""
    process, port = start(project, "--champion")
    try:
        url, body = f"http://127.0.0.1:{port}/invocations", json.dumps({"inputs": WORDS}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [row["label"] for row in json.load(answer)["predictions"]]
    finally:
        process.kill()
        process.wait()


def test_a_better_run_takes_over_and_the_champion_reads_words_anywhere(
    changed: Project, client: Open, tmp_path: Path
) -> None:
    store = client(changed)
    (first,) = runs(store)
    done = changed.run("esetrag", "serve", "--task", "toy", "--port", "0", "--champion", code=2)
    assert done.stderr.endswith("mlflow.db: toy has no champion; esetrag promote makes one\n")
    done = changed.run("esetrag", "promote")
    assert done.stdout == "toy had no champion.\ntoy: version 1 is the champion now.\n"

    changed.change(train={"epochs": 25})
    done = changed.run("esetrag", "promote", code=2)  # there is no such run
    assert done.stderr.count("\n") == 1
    assert "no finished run of toy as the files are now" in done.stderr
    changed.run("dvc", "repro")
    done = changed.run("esetrag", "promote")
    assert "more of 84 forms right than version 1" in done.stdout
    assert done.stdout.endswith("toy: version 2 is the champion now.\n")

    done = changed.run("esetrag", "promote", first.info.run_name, code=1)
    assert done.stdout.endswith("version 2 stays the champion; to promote version 1 still: --anyway\n")
    assert done.stderr == ""
    shown = changed.run("esetrag", "predict", *WORDS, "--task", "toy").stdout
    expected = [line.split()[1] for line in shown.splitlines()]
    assert read_elsewhere(changed.root / "mlflow.db", tmp_path) == expected

    done = changed.run("esetrag", "promote", first.info.run_id, "--anyway")
    assert done.stdout.endswith("toy: version 1 is the champion now.\n")
    assert store.get_model_version_by_alias("toy", "champion").run_id == first.info.run_id
    expected = read_elsewhere(changed.root / "mlflow.db", tmp_path)
    assert served(changed) == expected
