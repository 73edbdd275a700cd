from __future__ import annotations

import re
from pathlib import Path

import pytest

from esetrag.cli import main
from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.experiments import tune
from esetrag.tracking import store
from tests.project import TASK, Project, copy_project
from tests.writing import INFLECTION

RANGES = "train.learning_rate: {low: 0.003, high: 0.03, log: true}\nmodels.bilstm.hidden: [4, 8]\n"


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose rows are encoded; those of the test are gone."""
    project = copy_project(tmp_path_factory.mktemp("tune") / "project")
    for stage in ("sample", "build_vocab", "encode_pad"):
        project.stage(stage)
    project.write("tune.yaml", RANGES)
    for path in (project.root / "data/toy").rglob("test.parquet"):
        path.unlink()
    project.change(tracking={"enabled": True})
    return project


def test_a_search_goes_on_and_each_trial_is_a_child_run(
    encoded: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(encoded.root)
    monkeypatch.delenv(store.VARIABLE, raising=False)
    main(["tune", "--trials", "2"])
    first = capsys.readouterr().out
    main(["tune", "--trials", "4"])
    second = capsys.readouterr().out
    assert "toy: 2 trials" in first
    assert "toy: 4 trials" in second
    as_they_are = re.compile(r"([\d.]+)  parameters as they are")
    assert as_they_are.findall(first) == as_they_are.findall(second)
    last = second.strip().splitlines()[-1]
    assert re.fullmatch(r"dvc exp run -S train\.learning_rate=\S+ -S models\.bilstm\.hidden=\d", last)
    with store.opened("esetrag/toy") as opened:
        (parent,) = opened.runs(f"tags.`{tune.STUDY}` != ''", 10)
        trials = opened.runs(f"tags.`{tune.PARENT}` = '{parent.info.run_id}'", 10)
    assert sorted(run.data.tags[tune.TRIAL] for run in trials) == ["0", "1", "2", "3"]
    assert {run.info.status for run in trials} == {"FINISHED"}
    assert len({run.data.params["train.learning_rate"] for run in trials}) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train.bogus: [1]", "train.bogus: no such parameter"),
        ("models.bilstm.hidden: [0]", "models.bilstm.hidden"),
        ("models.bilstm.hidden: 8", "models.bilstm.hidden: expected a list of values, or {low: …, high: …}"),
        ("sample.train: [100]", "sample.train: expected a parameter of models or train"),
    ],
)
def test_what_cannot_be_searched_is_told(encoded: Project, text: str, told: str) -> None:
    path = encoded.write("wrong.yaml", text)
    with pytest.raises(ParamsError, match=re.escape(told)):
        tune.read(path, config.load(encoded.root / "params.yaml"), "toy")


def test_rows_that_are_not_there_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(copy_project(tmp_path / "project").root)
    with pytest.raises(SystemExit):
        main(["tune"])
    assert "get it: dvc repro encode_pad@toy" in capsys.readouterr().err


def test_a_value_that_the_task_has_of_its_own_is_named_as_its_own(encoded: Project) -> None:
    params = config.load(encoded.root / "params.yaml")
    task = params.task("toy").model_copy(update={"train": {"epochs": 2}})
    params = params.model_copy(update={"tasks": {"toy": task}})
    path = Path(encoded.write("own.yaml", "train.epochs: [2, 3]"))
    with pytest.raises(ParamsError, match=r"name it tasks\.toy\.train\.epochs"):
        tune.read(path, params, "toy")


def test_of_a_model_that_writes_what_it_does_not_propose_is_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = copy_project(tmp_path / "project")
    project.change(
        tasks={"toy": {**INFLECTION, "pos": "N", "raw": TASK["raw"]}},
        models={"seq2seq": {"embedding": 4, "hidden": 4, "rules": False, "beam": 1}},
        train={"epochs": 1, "learning_rate": 1e-5},
    )
    for stage in ("sample", "build_vocab", "encode_pad"):
        project.stage(stage)
    project.write("tune.yaml", "models.seq2seq.beam: [1]\n")
    monkeypatch.chdir(project.root)
    main(["tune", "--trials", "1"])
    told = capsys.readouterr().out
    assert "loss on dev, nats a word (13.8 if it is not proposed):" in told
    # One candidate a word has the probability 1; the untrained network proposes hardly a right one.
    assert float(re.findall(r"([\d.]+)  trial 0", told)[0]) > 10
