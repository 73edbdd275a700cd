"""No room on the disk or in memory, places that cannot be written: a line, and every file whole."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.faults.conftest import STAGES, run_stages
from tests.project import REPO, STEMS, Project, copy_project, toy_table

STATE, MODEL, RAW = ".esetrag/toy", "data/toy/model", "data/raw/toy.tsv"


def outputs_of(stage: str) -> tuple[str, ...]:
    """The files that a stage makes, by dvc.yaml."""
    text = (REPO / "dvc.yaml").read_text("utf-8").replace("${key}", "toy")
    entry = yaml.safe_load(text)["stages"][stage]["do"]
    listed = [*entry["outs"], *entry.get("metrics", []), *entry.get("plots", [])]
    names = [next(iter(out)) if isinstance(out, dict) else out for out in listed]
    model = [f"{MODEL}/{name}" for name in ("model.safetensors", "manifest.json")]
    return tuple(file for name in names for file in (model if name == MODEL else [name]))


OUTPUTS = {stage: outputs_of(stage) for stage in STAGES}
ROOMS = (100_000, 2_000_000, 40_000_000)
"""Bytes by which a process may still grow."""
ENDINGS, FORMATS = ("txt", "tsv", "json", "parquet"), ("text", "tsv", "json")
Came = list[dict[str, Any]]
Job = tuple[list[str], tuple[str, ...], list[dict[str, Any]]]


PREDICT = ["esetrag", "predict", "baraban", "dáraból"]


def faults_of(outputs: tuple[str, ...], sizes: dict[str, int]) -> list[dict[str, Any]]:
    """Whatever keeps a stage from writing, at the state folder and at each of its outputs."""
    first, last = outputs[0], outputs[-1]
    place = last.rpartition("/")[0]
    too_small = sorted({sizes[name] - 1 for name in outputs})
    faults: list[dict[str, Any]] = [{"file_size": most} for most in (0, 20, *too_small)]
    faults += [{"full": STATE}, {"full": place}, {"unwritable": place}, {"folder": last}]
    return [*faults, {"file": "data/toy/model"}] if first.startswith("data/toy/model/") else faults


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished project."""
    project = copy_project(tmp_path_factory.mktemp("scarce") / "project")
    project.change(model={"kind": "ngram"}, train={"iterations": 4, "analogies": 600})
    run_stages(project)
    assert project.outputs() == {name for names in OUTPUTS.values() for name in names}
    for ending in ENDINGS:
        project.run(*PREDICT, "--output", f"out.{ending}")
    return project


@pytest.fixture(scope="module")
def whole(project: Project) -> dict[str, bytes]:
    """The bytes of all outputs."""
    names = [*project.outputs(), *(f"out.{ending}" for ending in ENDINGS)]
    return {name: (project.root / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def came(project: Project, whole: dict[str, bytes]) -> dict[str, Came]:
    """What came of all faults: those of writing, kills and of memory by stage; those of ``esetrag``."""
    sizes = {name: len(content) for name, content in whole.items()}
    jobs: dict[str, Job] = {}
    for stage, outputs in OUTPUTS.items():
        command = [f"stages/{stage}.py", "toy"]
        jobs[f"write {stage}"] = command, outputs, faults_of(outputs, sizes)
        jobs[f"tell {stage}"] = command, outputs, [{"stream": 1}, {"stream": 2}]
        jobs[f"kill {stage}"] = command, outputs, [{"killed": number} for number in range(len(outputs))]
        jobs[f"memory {stage}"] = command, outputs, [{"memory": room} for room in ROOMS]
    for ending in ENDINGS:
        faults: list[dict[str, Any]] = [
            {"file_size": 0},
            {"unwritable": "."},
            {"folder": f"out.{ending}"},
            {},
        ]
        jobs[f"predict {ending}"] = [*PREDICT, "--output", f"out.{ending}"], (f"out.{ending}",), faults
    for kind in FORMATS:
        jobs[f"predict {kind} to"] = [*PREDICT, "--format", kind], (), [{"stream": 1}, {"stream": 2}]
    jobs["predict memory"] = PREDICT, (), [{"memory": room} for room in ROOMS]
    jobs["compare to"] = ["esetrag", "compare", "workspace", "workspace"], (), [{"stream": 1}]
    found = dict(zip(jobs, tried(project, list(jobs.values())), strict=True))
    assert all(len(found[name]) == len(faults) for name, (_, _, faults) in jobs.items())
    assert {name: (project.root / name).read_bytes() for name in whole} == whole
    return found


def tried(project: Project, jobs: list[Job]) -> list[Came]:
    """What came of commands under faults."""
    path = os.pathsep.join([str(project.root / "src"), str(REPO)])
    done = subprocess.run(
        ["python", "-m", "tests.faults.scarce"],
        executable=sys.executable,
        cwd=project.root,
        env={**project.environment(), "PYTHONPATH": path},
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
    )
    came: list[Came] = json.loads(done.stdout.splitlines()[-1])
    return came


def is_whole(one: dict[str, Any], whole: dict[str, bytes]) -> None:
    """Every output is what it was or what it shall be, and nothing else has been left."""
    spoilt = one["fault"].get("folder") or one["fault"].get("file") or "-"
    for name, found in one["outputs"].items():
        right = hashlib.sha256(whole[name]).hexdigest()
        assert name in one["old"] or found == right or name.startswith(spoilt), one
    assert one["hidden"] == [], one


def said(one: dict[str, Any]) -> list[str]:
    """But for a state that could not be saved, which a training gets over."""
    return [line for line in one["said"] if not line.startswith("training: its state is not saved")]


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_appear_whole_or_not_at_all(
    stage: str, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    for one in came[f"write {stage}"]:
        ((fault, value),) = one["fault"].items()
        is_whole(one, whole)
        assert one["code"] == 2, one
        (line,) = said(one)
        path, _, reason = line.removeprefix(f"{stage}: ").partition(": cannot be written (")
        assert reason.endswith(")"), one
        if path == STATE:
            assert fault == "full" or value <= 20, one
        elif fault == "file_size":
            assert len(whole[path]) > value, one
            assert path in one["old"], one
        else:
            assert path in OUTPUTS[stage], one
            assert path.startswith(value), one


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_nobody_can_hear_does_its_work(
    stage: str, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    for one in came[f"tell {stage}"]:
        is_whole(one, whole)
        assert (one["code"], one["old"], one["said"]) == (0, [], []), one


@pytest.mark.parametrize("stage", STAGES)
def test_killed_before_any_of_its_renames_a_stage_leaves_whole_files(
    stage: str, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    outputs = OUTPUTS[stage]
    for number, one in enumerate(came[f"kill {stage}"]):
        assert (one["code"], one["said"]) == (-signal.SIGKILL, [])
        assert len(one["old"]) == len(outputs) - number, one
        assert len(one["hidden"]) == 1, "the one that was about to get its name"
        is_whole({**one, "hidden": []}, whole)


@pytest.mark.parametrize("command", [*STAGES, "predict"])
def test_without_memory_it_is_said_in_a_line(
    command: str, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    runs = came["predict memory" if command == "predict" else f"memory {command}"]
    for one in runs:
        is_whole(one, whole)
        if one["code"] == 0:  # there was room enough
            assert one["old"] == [], one
        elif one["code"] == 2:
            name = "esetrag" if command == "predict" else command
            lacks = (f"{name}: not enough memory (", f"{name}: no room for the network (")
            assert said(one)[-1].startswith(lacks), one
            assert "Traceback" not in "".join(one["said"]), one
        else:  # not even a thread had room to begin: C++ ends the process
            assert (one["code"], one["fault"]["memory"] < 10_000_000) == (-signal.SIGABRT, True), one


def test_the_rooms_tried_were_too_small_for_most(came: dict[str, Came]) -> None:
    short = [name for name, runs in came.items() if "memory" in name and any(one["code"] for one in runs)]
    # a training of a few words may live on what the libraries have left free
    assert len(short) > len(STAGES) // 2, short


@pytest.mark.parametrize("ending", ENDINGS)
def test_predictions_appear_whole_or_not_at_all(
    ending: str, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    *failed, well = came[f"predict {ending}"]
    for one in failed:
        is_whole(one, whole)
        assert one["code"] == 2, one
        (line,) = one["said"]
        assert line.startswith(f"esetrag: out.{ending}: cannot be written ("), one
    is_whole(well, whole)
    assert (well["code"], well["old"]) == (0, []), well


@pytest.mark.parametrize("what", [*(f"predict {kind}" for kind in FORMATS), "compare"])
def test_a_full_standard_output_is_said_in_a_line(what: str, came: dict[str, Came]) -> None:
    one = came[f"{what} to"][0]
    line = "esetrag: standard output: cannot be written (No space left on device)"
    assert (one["code"], one["said"]) == (2, [line])


def test_what_does_not_fit_into_memory_is_told(
    project: Project, came: dict[str, Came], whole: dict[str, bytes]
) -> None:
    before = {name: (project.root / name).read_bytes() for name in ("params.yaml", RAW)}
    project.change(model={"kind": "lstm", "hidden": 4096})
    project.write(RAW, toy_table([f"{stem}{number}" for stem in STEMS for number in range(250)]))
    jobs: list[Job] = [(["stages/sample.py", "toy"], OUTPUTS["sample"], [{"memory": 3 * 10**7}])]
    jobs += [(["stages/train.py", "toy"], OUTPUTS["train"], [{"memory": 10**8}])]
    ((table,), (network,)) = tried(project, jobs)
    project.change(model={"kind": "ngram"}, train={"analogies": 2_000_000})
    (((regression,),)) = tried(project, jobs[1:])
    for name, content in before.items():
        project.write(name, content)
    for one in (table, network, regression):
        is_whole(one, whole)
        assert (one["code"], len(one["said"]), len(one["old"])) == (2, 1, len(one["outputs"])), one
    assert table["said"][0].startswith("sample: not enough memory ("), table
    assert regression["said"][0].startswith("train: "), regression
    assert network["said"][0].startswith("train: no room for the network ("), network
    assert network["said"][0].endswith("); lower the sizes of model or train.analogies"), network
