"""How the MLflow store is opened, and what it never says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from esetrag.core.errors import TrackingError
from esetrag.tracking import store

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
    assert {path.name for path in tmp_path.iterdir()} >= {"here.db"}
    assert not list(tmp_path.glob(".here.db.new*"))


def test_what_a_killed_first_use_left_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv(store.VARIABLE, f"sqlite:///{tmp_path / 'new.db'}")
    (tmp_path / ".new.db.new").mkdir()
    (tmp_path / ".new.db.new/new.db").write_text("half a database")
    with store.opened("here") as opened:
        assert opened.runs("") == []
    assert not (tmp_path / ".new.db.new").exists()


@pytest.mark.parametrize(
    ("uri", "text", "expected"),
    [
        (
            "http://alice:s3cret@127.0.0.1:9",
            "at http://alice:s3cret@127.0.0.1:9/x",
            "at http://***@127.0.0.1:9/x",
        ),
        ("http://alice:p%40ss@host", "no p@ss, no p%40ss", "no ***, no ***"),
        ("postgresql://u:pw@host/db", "(postgresql://u:pw@host/db)", "(postgresql://***@host/db)"),
        ("https://host?token=abc&x=1", "https://host?token=abc&x=1", "https://host?token=***&x=1"),
        ("https://t0ken@host", "https://t0ken@host", "https://***@host"),
        ("sqlite:///a@b.db", "sqlite:///a@b.db", "sqlite:///a@b.db"),
    ],
)
def test_secrets_are_masked(uri: str, text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.VARIABLE, uri)
    assert store.masked(text) == expected
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hush")
    assert store.masked("hush") == "***"


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_no_error_tells_the_password(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv(store.VARIABLE, f"{scheme}://alice:s3cret@127.0.0.1:9/db")
    with pytest.raises(TrackingError) as caught, store.opened("here"):
        pass
    assert str(caught.value).startswith(f"{scheme}://***@127.0.0.1:9/db: ")
    assert caught.value.__cause__ is None
    shown = capfd.readouterr()
    assert "s3cret" not in f"{caught.value}{shown.out}{shown.err}"


def test_an_address_without_a_scheme_gets_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.VARIABLE, "localhost:5000")
    hint = r"found localhost:5000; did you mean http://localhost:5000\?$"
    with pytest.raises(TrackingError, match=hint), store.opened("here"):
        pass


def test_the_pages_of_each_task_are_named_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv(store.VARIABLE, f"sqlite:///{tmp_path / 'new.db'}")
    served: list[str] = []
    monkeypatch.setattr(os, "execv", lambda _, command: served.extend(command))
    store.browse(["esetrag/a", "esetrag/b"], 5001)
    lines = capsys.readouterr().out.splitlines()
    place = "http://127.0.0.1:5001/#/experiments/"
    assert [line.split("/runs?")[0] for line in lines] == [f"esetrag/a: {place}1", f"esetrag/b: {place}2"]
    assert served[1:4] == ["-m", "mlflow", "ui"]
    assert served[-1] == "5001"


def test_one_process_at_a_time_uses_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv(store.VARIABLE, f"sqlite:///{tmp_path / 'new.db'}")
    is_open, may_close = threading.Event(), threading.Event()

    def use() -> None:
        with store.opened("here"):
            is_open.set()
            may_close.wait()

    with store.opened("here"):
        other = threading.Thread(target=use, daemon=True)
        other.start()
        assert not is_open.wait(3), "one that has been used opens in a fraction of this"
    assert is_open.wait(60)
    may_close.set()
    other.join()
