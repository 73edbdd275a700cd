from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from esetrag.cli import main
from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.core.layout import Layout
from esetrag.data.source import Source
from esetrag.experiments import learning_curve
from esetrag.experiments.learning_curve import Point
from tests.project import CASES, REPO, STEMS, TASK, copy_project, toy_table


@pytest.fixture(scope="module")
def small() -> config.Params:
    given = config.load(REPO / "params.yaml")
    sample = given.sample.model_copy(update={"train": 60, "dev": 40, "test": 70})
    bilstm = given.models["bilstm"].model_copy(update={"embedding": 6, "hidden": 8})
    train = given.train.model_copy(update={"analogies": 300, "epochs": 3, "min_steps": 0})
    return given.model_copy(
        update={"sample": sample, "models": {**given.models, "bilstm": bilstm}, "train": train}
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("raw") / "toy.tsv"
    path.write_text(toy_table(), "utf-8")
    return Source.load(config.UnimorphTask.model_validate({**TASK, "raw": str(path)}))


@pytest.fixture(scope="module")
def jobs(source: Source, small: config.Params) -> list[learning_curve.Job]:
    return learning_curve.jobs(source, small, 2, (20, 120, 10**6), whole=False)


@pytest.fixture(scope="module")
def found(jobs: list[learning_curve.Job]) -> list[list[Point]]:
    return list(learning_curve.points(jobs, processes=1))


@pytest.mark.parametrize(
    ("sizes", "whole", "expected"),
    [
        ((100, 30), False, [30, 100]),
        ((30, 10**6), False, [30]),
        ((30, 30), True, [30, None]),
        ((), True, [None]),
    ],
)
def test_the_sizes_are_those_that_there_are_forms_for(
    source: Source, small: config.Params, sizes: tuple[int, ...], whole: bool, expected: list[int | None]
) -> None:
    most = len(learning_curve.jobs(source, small, 1, (), whole=True)[0].parts["train"])
    jobs = learning_curve.jobs(source, small, 1, sizes, whole)
    assert [len(job.parts["train"]) for job in jobs] == [size or most for size in expected]


def test_of_one_seed_a_larger_sample_holds_the_smaller_and_the_test_part_is_the_same(
    jobs: list[learning_curve.Job],
) -> None:
    assert [(job.seed, len(job.parts["train"])) for job in jobs] == [(0, 20), (0, 120), (1, 20), (1, 120)]
    few, many, other, _ = jobs
    assert set(few.parts["train"]["form"].to_pylist()) < set(many.parts["train"]["form"].to_pylist())
    assert few.parts["test"] == many.parts["test"] != other.parts["test"]
    lemmas = [set(many.parts[part]["lemma"].to_pylist()) for part in ("train", "dev", "test")]
    assert sum(map(len, lemmas)) == len(set.union(*lemmas)), "no lemma is in two parts"


def test_of_given_parts_only_that_for_training_is_drawn_of(tmp_path: Path, small: config.Params) -> None:
    """Without lemmas, too."""
    words = [f"{stem}{end}\t{case}\n" for stem in STEMS for case, end in CASES.items()]
    texts = {"train": words[:300] + words[:9], "dev": words[300:400], "test": 2 * words[400:]}
    for part, lines in texts.items():
        (tmp_path / f"{part}.tsv").write_text("".join(lines), "utf-8")
    fields = {"kind": "classify", "model": "bilstm", "source": "columns", "columns": {"form": 1, "label": 2}}
    splits = {part: f"{part}.tsv" for part in texts}
    given = config.ColumnsTask.model_validate({**fields, "raw": str(tmp_path), "splits": splits})
    few, many, *_ = learning_curve.jobs(Source.load(given), small, 2, (20, 120), whole=False)
    assert (few.parts["train"].num_rows, many.parts["train"].num_rows) == (20, 120)
    assert {*many.parts["train"]["form"].to_pylist()} <= {line.split("\t")[0] for line in texts["train"]}
    for part in ("dev", "test"):
        assert many.parts[part]["form"].to_pylist() == [line.split("\t")[0] for line in texts[part]]
    alone = config.ColumnsTask.model_validate({**fields, "raw": str(tmp_path / "train.tsv")})
    (job,) = learning_curve.jobs(Source.load(alone), small, 1, (20,), whole=False)
    assert not {*job.parts["train"]["form"].to_pylist()} & {*job.parts["test"]["form"].to_pylist()}


def test_every_model_is_measured_on_every_sample(found: list[list[Point]]) -> None:
    assert [[point.model for point in points] for points in found] == [
        [*learning_curve.MODELS, learning_curve.UPPER_BOUND]
    ] * 4
    accuracy = {(point.model, point.forms, point.seed): point.test for points in found for point in points}
    for seed in (0, 1):
        assert accuracy["ngram", 120, seed] == accuracy["upper_bound", 120, seed] == 1
        assert accuracy["ngram", 120, seed] >= accuracy["ngram", 20, seed]
        assert accuracy["longest_suffix", 20, seed] > accuracy["majority", 20, seed]


def test_a_prediction_is_correct_if_it_is_one_of_the_values_of_a_form(
    jobs: list[learning_curve.Job], small: config.Params
) -> None:
    (job, *_) = jobs
    twofold = {
        part: table.set_column(3, table.schema.field(3), pa.array(["ACC/NOM"] * len(table)))
        for part, table in job.parts.items()
    }
    (point, *_, bound) = learning_curve.measured(learning_curve.Job(twofold, 0, small))
    assert (point.model, point.test, bound.test) == ("majority", 0.5, 0.5)


def points_of(model: str, *tests: float) -> list[Point]:
    return [Point(model, 30, seed, 0.5, test) for seed, test in enumerate(tests)]


def test_the_interval_of_the_mean_is_students() -> None:
    means = learning_curve.table(points_of("bilstm", 0.90, 0.92, 0.94), 0.95)
    (row,) = means.to_dict("records")
    assert (row["model"], row["forms"], row["seeds"], row["dev"]) == ("bilstm", 30, 3, 0.5)
    reach = 4.302653 * 0.02 / np.sqrt(3)  # t of two degrees of freedom
    assert [row[name] for name in ("test", "low", "high")] == pytest.approx(
        [0.92, 0.92 - reach, 0.92 + reach]
    )


def test_one_seed_has_no_interval_and_none_leaves_0_to_1() -> None:
    (alone,) = learning_curve.table(points_of("majority", 0.9), 0.95).to_dict("records")
    assert np.isnan([alone["low"], alone["high"]]).all()
    (wide,) = learning_curve.table(points_of("majority", 0.0, 1.0), 0.95).to_dict("records")
    assert (wide["low"], wide["high"]) == (0, 1)
    page = learning_curve.page("toy", pd.DataFrame([alone]), 0.95)
    assert "| majority | 90.0 |" in page


def test_the_command_writes_the_same_table_page_and_picture_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = copy_project(tmp_path / "project")
    monkeypatch.chdir(project.root)
    command = ["curve", "--seeds", "1", "--sizes", "40"]
    files = [project.root / f"metrics/toy/learning_curve.{kind}" for kind in ("csv", "md", "png")]
    main(command)
    first = [path.read_bytes() for path in files]
    assert capsys.readouterr().out.strip() in first[1].decode()
    frame = pd.read_csv(files[0])
    assert list(frame.columns) == ["model", "forms", "seeds", "dev", "test", "low", "high"]
    assert list(frame["model"]) == [*learning_curve.MODELS, learning_curve.UPPER_BOUND]
    main(command)
    assert [path.read_bytes() for path in files] == first


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--seeds", "0"], "--seeds: expected 1 or more, found 0"),
        (["--sizes", "99999"], "sizes: expected one of 1 to"),
        (["--task", "latin"], "no task 'latin' in params.yaml"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(copy_project(tmp_path / "project").root)
    with pytest.raises(SystemExit) as exit_info:
        main(["curve", *flags])
    assert exit_info.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "project/metrics").exists()


def test_other_tasks_than_of_labels_and_missing_models_are_refused(small: config.Params) -> None:
    for task in ("hun-valid", "hun-inflect", "hun-segments"):
        with pytest.raises(ParamsError, match=f"^{task}: expected a task of kind classify"):
            learning_curve.measure(Layout(task), small, 1, None, whole=False)
    models = {name: model for name, model in small.models.items() if name != "ngram"}
    without = small.model_copy(update={"models": models})
    with pytest.raises(ParamsError, match="models: expected bilstm, ngram; missing: ngram"):
        learning_curve.measure(Layout("hun-noun-case"), without, 1, None, whole=False)
