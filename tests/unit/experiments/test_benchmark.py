from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from esetrag.cli import main
from esetrag.core import config
from esetrag.experiments import benchmark
from tests.project import CASES, STEMS, copy_project

ROWS = [(stem + end, case) for stem in STEMS for case, end in CASES.items()]


def write(folder: Path, **parts: list[tuple[str, str]]) -> None:
    folder.mkdir(parents=True)
    for part, rows in parts.items():
        text = "".join(f"{form}\t{label}\n" for form, label in rows)
        (folder / f"{part}.tsv").write_text(text, "utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = copy_project(tmp_path / "project")
    monkeypatch.chdir(project.root)
    write(Path("many/given"), train=ROWS[::3], dev=ROWS[1::3], test=ROWS[2::3])
    write(Path("many/without-test"), train=ROWS[::2], dev=ROWS[1::2])
    write(Path("many/without-labels"), train=[("alma", "")], dev=ROWS[:5])
    return project.root


def test_a_folder_of_tasks_becomes_a_table_a_page_and_a_picture(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["benchmark", "many", "--seeds", "2", "--workers", "1"]
    main(command)
    page = (project / "metrics/benchmark/many.md").read_text("utf-8")
    assert capsys.readouterr().out.strip() in page
    assert page.count("without-labels, seed") == 2
    assert (project / "metrics/benchmark/many.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(project / "metrics/benchmark/many.tsv", sep="\t", index_col=["task", "model"])
    assert {task for task, _ in table.index} == {"given", "without-test", "mean"}
    assert list(table.loc["given"].index) == list(benchmark.MODELS)
    accuracy = dict(zip(table.loc["given"].index, table.loc["given"]["accuracy"], strict=True))
    assert accuracy["ngram"] > accuracy["majority"]
    assert (table["seeds"] == 2).all()
    assert (table["low"] <= table["accuracy"]).all()
    kept = {path: path.stat().st_mtime_ns for path in (project / benchmark.KEPT).iterdir()}
    main(command)
    assert kept == {path: path.stat().st_mtime_ns for path in (project / benchmark.KEPT).iterdir()}
    assert (project / "metrics/benchmark/many.md").read_text("utf-8") == page


def test_given_parts_are_kept_and_a_missing_test_part_is_dev(project: Path) -> None:
    given = benchmark.parts(Path("many/given"), seed=1)
    assert [len(given[part]) for part in ("train", "dev", "test")] == [len(ROWS[n::3]) for n in range(3)]
    made = benchmark.parts(Path("many/without-test"), seed=1)
    words = {part: {*rows["form"].to_pylist()} for part, rows in made.items()}
    assert words["test"] == {form for form, _ in ROWS[1::2]}
    assert words["train"] | words["dev"] == {form for form, _ in ROWS[::2]}
    assert not words["train"] & words["dev"]
    assert len(words["dev"]) == len(words["train"] | words["dev"]) // benchmark.HELD_OUT


def test_figures_are_kept_for_the_same_words_parameters_and_libraries_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = config.load(Path("params.yaml"))
    job = benchmark.Job(Path("many/given"), 1, params)
    other = params.model_copy(update={"train": params.train.model_copy(update={"epochs": 5})})
    kept = {job.kept, benchmark.Job(Path("many/given"), 2, params).kept}
    kept.add(benchmark.Job(Path("many/given"), 1, other).kept)
    write_to = Path("many/given/test.tsv")
    write_to.write_text(write_to.read_text("utf-8") + "alma\tNOM\n", "utf-8")
    kept.add(job.kept)
    monkeypatch.setattr("esetrag.core.versions.installed", lambda: {"torch": "another"})
    kept.add(job.kept)
    assert len(kept) == 5


def test_a_folder_without_tasks_is_told_in_a_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["benchmark", "data"])
    assert exit_info.value.code == 2
    assert "data: expected folders with train.tsv, dev.tsv and test.tsv" in capsys.readouterr().err
