"""What a sweep makes of runs that are done, as it asks DVC for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.core import config, files
from esetrag.experiments import sweep
from esetrag.experiments.sweep import Run
from tests.project import REPO

PARAMS = config.load(REPO / "params.yaml")
A, B, *_ = PARAMS.tasks
SETTINGS = ("train.seed=2",)


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """DVC's experiments, each with the targets that it was run for."""
    kept = dict[str, list[str]]()

    def output(*command: str) -> str:
        match command:
            case ("dvc", "exp", "list", *_):
                return "\n".join(kept)
            case ("dvc", "exp", "remove", name):
                del kept[name]
            case ("dvc", "exp", "run", "--temp", "--pull", "--name", name, "-S", *given):
                assert name not in kept, "DVC refuses a name that is taken"
                kept[name] = given[1:]
        return ""

    monkeypatch.setattr(sweep, "_output", output)
    return kept


def end(task: str, folder: Path) -> None:
    """A run of a task ends and is gathered."""
    files.write_text(folder / f"{Run(task, SETTINGS).name}.done", "1.0\n")
    sweep._gather(PARAMS, [Run(task, SETTINGS)], folder)


def test_what_ends_later_reaches_the_experiment_of_the_same_settings(
    experiments: dict[str, list[str]], tmp_path: Path
) -> None:
    end(A, tmp_path)
    assert experiments == {SETTINGS[0]: [f"error_analysis@{A}"]}
    end(B, tmp_path)
    assert experiments == {SETTINGS[0]: sorted([f"error_analysis@{A}", f"error_analysis@{B}"])}
    experiments[SETTINGS[0]] = before = ["nothing new, so it stays"]
    end(A, tmp_path)
    assert experiments[SETTINGS[0]] is before


def test_an_experiment_that_no_sweep_made_stays(
    experiments: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiments[SETTINGS[0]] = ["of the user's"]
    end(A, tmp_path)
    assert experiments == {SETTINGS[0]: ["of the user's"]}
    assert "dvc exp remove train.seed=2" in capsys.readouterr().err
