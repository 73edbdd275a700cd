"""What ``dvc repro`` promises: everything is made, nothing twice, and only what a change reaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from tests.project import Project

STAGES = ["sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis"]
Copy = Callable[[Project], Project]


def test_all_outputs_of_the_six_stages_appear(finished: Project) -> None:
    lock = yaml.safe_load((finished.root / "dvc.lock").read_text("utf-8"))
    assert list(lock["stages"]) == [f"{stage}@toy" for stage in STAGES]
    listed = {out["path"] for stage in lock["stages"].values() for out in stage["outs"]}
    made = {name for name in finished.outputs() if not name.endswith(".gitignore")}
    places = {place for name in made for place in (name, *map(str, Path(name).parents))}
    assert listed <= places, "all that is listed is made"
    assert {name for name in made if not {name, *map(str, Path(name).parents)} & listed} == set()


def test_a_second_run_computes_nothing_and_the_status_is_clean(finished: Project) -> None:
    assert finished.ran(finished.run("dvc", "repro")) == []
    assert "up to date" in finished.run("dvc", "status").stdout


def test_a_parameter_reruns_only_the_stages_that_read_it(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.change(evaluate={"suffix_length": 1})
    assert project.ran(project.run("dvc", "repro")) == ["evaluate@toy", "error_analysis@toy"]
    project.change(tracking={"experiment": "another"})
    assert project.ran(project.run("dvc", "repro")) == []


def test_one_more_task_runs_its_own_pipeline_and_no_other(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    more = {"toy-again": {"raw": "data/raw/toy.tsv", "pos": "N", "feature": "Case"}}
    project.change(tasks={**project.params["tasks"], **more})
    assert project.ran(project.run("dvc", "repro")) == [f"{stage}@toy-again" for stage in STAGES]
    assert project.json("metrics/toy-again/test.json") == project.json("metrics/toy/test.json")


def test_a_changed_row_of_the_table_reruns_the_pipeline(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    raw = project.root / "data/raw/toy.tsv"
    raw.write_text(raw.read_text("utf-8") + "kutya\tkutyaban\tN;IN+ESS;SG\n", "utf-8")
    assert "sample@toy" in project.ran(project.run("dvc", "repro"))


def test_dvc_shows_metrics_and_plots_and_runs_experiments(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "run")
    shown = project.run("dvc", "metrics", "show").stdout
    assert "accuracy" in shown
    assert "upper_bound" in shown
    project.run("dvc", "plots", "show")
    page = (project.root / "dvc_plots/index.html").read_text("utf-8")
    assert all(name in page for name in ("history_csv", "confusion_csv", "curves.png"))
    project.run("dvc", "exp", "run", "-S", "train.epochs=2", "--name", "short")
    assert "short" in project.run("dvc", "exp", "show", "--csv").stdout
    assert project.json("data/toy/model/manifest.json")["training"]["epochs"] == 2


def test_outputs_hold_nothing_of_clock_machine_or_run(finished: Project) -> None:
    for name in finished.outputs():
        content = (finished.root / name).read_bytes()
        assert str(finished.root).encode() not in content, name
        assert b"run_id" not in content, name


def test_the_pipeline_runs_in_a_tree_without_git(project: Project) -> None:
    import sys

    environment = f"VENV={sys.prefix}"  # the tests' own; READY= skips its installation
    done = project.run("make", "repro", environment, "READY=")
    assert "This is no git repository" in done.stdout
    assert len(project.ran(done)) == len(STAGES)
