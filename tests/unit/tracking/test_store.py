"""How the MLflow store is opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OPEN = """
from esetrag.tracking import store
with store.opened("here"):
    from mlflow.telemetry.utils import is_telemetry_disabled
    print(is_telemetry_disabled())
"""


def test_mlflow_does_not_report_its_use(tmp_path: Path) -> None:
    # Under the variables of a test or a CI MLflow is silent by itself.
    env = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    env |= {"HOME": str(tmp_path), "MLFLOW_TRACKING_URI": "sqlite:///here.db"}
    command = [sys.executable, "-c", OPEN]
    done = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True"]
