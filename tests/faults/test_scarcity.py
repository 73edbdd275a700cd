"""No room on the disk or in memory, places that cannot be written: a line, and every file whole."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tests.faults.conftest import STAGES, Forked, run_stages
from tests.project import REPO, STEMS, Project, copy_project, toy_table

STATE, MODEL, OLD = ".esetrag/toy", "data/toy/model", b"old\n"
ENDINGS, FORMATS = ("txt", "tsv", "json", "parquet"), ("text", "tsv", "json")
PREDICT = ("esetrag", "predict", "baraban", "dáraból")
Contents = dict[str, bytes]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, forked: Forked) -> Project:
    """A finished project."""
    project = copy_project(tmp_path_factory.mktemp("scarce") / "project")
    project.change(evaluate={"compare": []})
    project.use("ngram")
    run_stages(forked, project)
    return project


def outputs_of(project: Project, stage: str) -> Contents:
    """The files that a stage makes, by dvc.yaml, and their bytes."""
    text = (REPO / "dvc.yaml").read_text("utf-8").replace("${key}", "toy")
    entry = yaml.safe_load(text)["stages"][stage]["do"]
    listed = [*entry["outs"], *entry.get("metrics", []), *entry.get("plots", [])]
    places = [project.root / (next(iter(out)) if isinstance(out, dict) else out) for out in listed]
    paths = [path for place in places for path in ([place] if place.is_file() else sorted(place.iterdir()))]
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in paths}


def older(project: Project, names: Contents) -> None:
    """Puts an older, read-only content in the place of outputs."""
    for path in (project.root / name for name in names):
        path.parent.chmod(0o755)
        path.unlink(missing_ok=True)
        path.write_bytes(OLD)
        path.chmod(0o444)


@contextmanager
def replaced(project: Project, whole: Contents) -> Iterator[None]:
    """Puts the outputs back in the end."""
    try:
        yield
    finally:
        older(project, whole)
        for name, content in whole.items():
            (project.root / name).unlink()
            project.write(name, content)


def left(project: Project, whole: Contents, hidden: int = 0) -> list[str]:
    """The outputs that are still the old ones; every other is whole, and no temporary file is left."""
    contents = {name: (project.root / name).read_bytes() for name in whole}
    assert all(content in (OLD, whole[name]) for name, content in contents.items())
    paths = [project.root / name for name in whole]
    temporary = [other for path in paths for other in path.parent.glob(f".{path.name}.*")]
    assert len(temporary) == hidden
    for path in temporary:
        path.unlink()
    return [name for name, content in contents.items() if content == OLD]


def told(done: dict[str, Any]) -> list[str]:
    """What was said on standard error, but for a state that a training could not save."""
    lines: list[str] = done["err"].splitlines()
    return [line for line in lines if not line.startswith("training: its state is not saved")]


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_appear_whole_or_not_at_all(stage: str, project: Project, forked: Forked) -> None:
    whole = outputs_of(project, stage)
    place = max(whole).rpartition("/")[0]
    sizes = sorted(len(content) for content in whole.values())
    faults: list[dict[str, Any]] = [{"file_size": most} for most in (0, 20, sizes[-1] // 2, sizes[-1] - 1)]
    faults += [{"full": place}, {"unwritable": place}]
    with replaced(project, whole):
        for fault in faults:
            older(project, whole)
            done = forked(project.root, f"stages/{stage}.py", "toy", **fault)
            old = left(project, whole)
            assert len(told(done)) == 1, done
            (line,) = told(done)
            path, _, reason = line.removeprefix(f"{stage}: ").partition(": cannot be written (")
            assert (done["code"], reason[-1:]) == (2, ")"), done
            assert path in old or path == STATE, done
        older(project, whole)
        done = forked(project.root, f"stages/{stage}.py", "toy", full=STATE)
        assert (done["code"], told(done), left(project, whole)) == (0, [], [])


@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_in_the_place_of_an_output_is_told(stage: str, project: Project, forked: Forked) -> None:
    whole = outputs_of(project, stage)
    name = max(whole)
    with replaced(project, {key: value for key, value in whole.items() if key != name}):
        (project.root / name).unlink()
        (project.root / name / "within").mkdir(parents=True)
        done = forked(project.root, f"stages/{stage}.py", "toy")
        (project.root / name / "within").rmdir()
        (project.root / name).rmdir()
        project.write(name, whole[name])
    assert done["code"] == 2, done
    assert told(done)[0].startswith(f"{stage}: {name}: cannot be written ("), done


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_nobody_can_hear_does_its_work(stage: str, project: Project, forked: Forked) -> None:
    whole = outputs_of(project, stage)
    with replaced(project, whole):
        for stream in (1, 2):
            older(project, whole)
            done = forked(project.root, f"stages/{stage}.py", "toy", stream=stream)
            assert (done["code"], told(done), left(project, whole)) == (0, [], []), done


@pytest.mark.parametrize("stage", STAGES)
def test_killed_before_any_of_its_renames_a_stage_leaves_whole_files(
    stage: str, project: Project, forked: Forked
) -> None:
    whole = outputs_of(project, stage)
    with replaced(project, whole):
        for number in range(len(whole)):
            older(project, whole)
            done = forked(project.root, f"stages/{stage}.py", "toy", killed=[number, ["os.rename"]])
            assert (done["code"], done["err"]) == (-signal.SIGKILL, ""), done
            assert len(left(project, whole, hidden=1)) == len(whole) - number


@pytest.mark.parametrize("stage", [*STAGES, "predict"])
def test_without_memory_it_is_told_in_a_line(stage: str, project: Project, forked: Forked) -> None:
    command = PREDICT if stage == "predict" else (f"stages/{stage}.py", "toy")
    whole = {} if stage == "predict" else outputs_of(project, stage)
    codes = []
    with replaced(project, whole):
        for room in (100_000, 2_000_000, 40_000_000):
            older(project, whole)
            done = forked(project.root, *command, memory=room)
            codes.append(done["code"])
            old = left(project, whole)
            if done["code"] == 0:  # there was room enough
                assert old == []
            elif done["code"] == 2:
                name = "esetrag" if stage == "predict" else stage
                lacks = (f"{name}: not enough memory (", f"{name}: no room for the network (")
                assert told(done)[-1].startswith(lacks), done
                assert "Traceback" not in done["err"]
            else:  # not even a thread had room to begin: C++ ends the process, or a library of it crashes
                assert done["code"] in (-signal.SIGABRT, -signal.SIGSEGV), done
    assert any(codes), "the rooms tried are too small for most"


@pytest.mark.parametrize("ending", ENDINGS)
def test_predictions_appear_whole_or_not_at_all(ending: str, project: Project, forked: Forked) -> None:
    name = f"out.{ending}"
    command = (*PREDICT, "--output", name)
    assert forked(project.root, *command)["code"] == 0
    whole = {name: (project.root / name).read_bytes()}
    for fault in ({"file_size": 0}, {"unwritable": "."}):
        older(project, whole)
        done = forked(project.root, *command, **fault)
        (project.root).chmod(0o755)
        assert done["code"] == 2, done
        assert done["err"].startswith("esetrag: "), done
        assert f"{name}: cannot be written (" in done["err"]
        assert left(project, whole) == [name]


@pytest.mark.parametrize(
    "command",
    [*((*PREDICT, "--format", kind) for kind in FORMATS), ("esetrag", "compare", "workspace", "workspace")],
)
def test_a_full_standard_output_is_told_in_a_line(
    command: tuple[str, ...], project: Project, forked: Forked
) -> None:
    done = forked(project.root, *command, stream=1)
    assert (done["code"], done["err"]) == (
        2, "esetrag: standard output: cannot be written (No space left on device)\n")  # fmt: skip


def test_what_does_not_fit_into_memory_is_told(project: Project, forked: Forked) -> None:
    before = {name: (project.root / name).read_bytes() for name in ("params.yaml", "data/raw/toy.tsv")}
    project.use("bilstm")
    project.change(models={"bilstm": {"hidden": 4096}})
    project.write(
        "data/raw/toy.tsv", toy_table([f"{stem}{number}" for stem in STEMS for number in range(250)])
    )
    table = forked(project.root, "stages/sample.py", "toy", memory=3 * 10**7)
    network = forked(project.root, "stages/train.py", "toy", memory=10**8)
    for name, content in before.items():
        project.write(name, content)
    assert (table["code"], network["code"]) == (2, 2)
    assert table["err"].startswith("sample: not enough memory ("), table
    assert told(network)[0].startswith("train: no room for the network ("), network
    assert told(network)[0].endswith("; lower the sizes of the model or train.analogies"), network
