"""``dvc.yaml`` lists what a stage reads, all of it and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline.opened import opened
from tests.project import REPO, Project

STAGES = [path.stem for path in sorted((REPO / "stages").glob("*.py"))]
PACKAGES_OF = """
import json, runpy, sys
sys.argv = [f"stages/{sys.argv[1]}.py", "toy"]
sys.path[0] = "stages"
runpy.run_path(sys.argv[0], run_name="__main__")
names = [name.split(".") for name in sys.modules if name.startswith("esetrag.")]
print(json.dumps(sorted({parts[1] for parts in names})))
"""
SECTIONS_OF = """
import json, runpy, sys
from esetrag.core import stage
stage.run = lambda main, *sections: print(json.dumps([section.__name__ for section in sections]))
runpy.run_path(f"stages/{sys.argv[1]}.py", run_name="__main__")
"""


def declared(stage: str) -> dict[str, Any]:
    """A stage of dvc.yaml with the toy task filled in."""
    text = (REPO / "dvc.yaml").read_text("utf-8")
    text = text.replace("${key}", "toy").replace("${item.raw}", "data/raw/toy.tsv")
    content: dict[str, Any] = yaml.safe_load(text)["stages"][stage]["do"]
    return content


def outputs(stage: str) -> list[str]:
    entry = declared(stage)
    listed = [*entry["outs"], *entry.get("metrics", []), *entry.get("plots", [])]
    return [next(iter(out)) if isinstance(out, dict) else out for out in listed]


def data_dependencies(stage: str) -> list[str]:
    return [path for path in declared(stage)["deps"] if path.split("/")[0] in ("data", "metrics")]


def alone(finished: Project, stage: str, folder: Path, without: str = "-", **sections: Any) -> Project:
    """A folder that holds only what the stage declares, and not what ``without`` begins."""
    project = Project(folder)
    for path in [*declared(stage)["deps"], "params.yaml"]:
        source, target = finished.root / path, folder / path
        if path.startswith(without):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    project.change(**sections)
    return project


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_declares_is_all_it_needs_and_it_imports_all_packages(
    finished: Project, stage: str, tmp_path: Path
) -> None:
    project = alone(finished, stage, tmp_path)
    loaded = json.loads(project.run("python", "-c", PACKAGES_OF, stage).stdout.splitlines()[-1])
    listed = [Path(path).name for path in declared(stage)["deps"] if path.startswith("src/")]
    assert sorted({*loaded} - {"tracking"}) == sorted(listed)  # tracking changes no result
    made = [path for path in outputs(stage) if not (tmp_path / path).is_dir()]
    assert made or stage == "train"
    for path in made:
        assert (tmp_path / path).read_bytes() == (finished.root / path).read_bytes(), path


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_that_is_missing_is_named(finished: Project, stage: str, tmp_path: Path) -> None:
    for number, path in enumerate(data_dependencies(stage)):
        folder = tmp_path / str(number)
        project = alone(finished, stage, folder, without="src/", tracking={"enabled": True})
        (folder / "src").symlink_to(REPO / "src")
        missing = folder / path
        shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
        done = project.stage(stage, code=None)
        assert path in done.stderr
        assert done.returncode == 2 or "the run was not logged" in done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_the_files_that_a_stage_opens_are_those_it_declares(
    finished: Project, stage: str, tmp_path: Path
) -> None:
    # By the kernel's account: Arrow opens files in C++. One that is read only if it is there counts, too.
    root = tmp_path / "project"
    shutil.copytree(finished.root, root, ignore=shutil.ignore_patterns(".git", ".dvc", "__pycache__"))
    project = Project(root)
    assert (root / "dvc.lock").exists()
    read = {
        path
        for path in opened(project, "python", f"stages/{stage}.py", "toy")
        # Imported modules are another test's; the key of a training's saved states is made of all.
        if not path.startswith((".esetrag/", "src/")) and not Path(path).name.startswith(".")
    }
    listed = {path for path in declared(stage)["deps"] if not path.startswith(("src/", "stages/"))}
    allowed = {*outputs(stage), *listed, "params.yaml", f"stages/{stage}.py"}
    assert {path for path in read if not allowed & {path, str(Path(path).parent)}} == set()
    assert {path for path in listed if not any(f"{one}/".startswith(f"{path}/") for one in read)} == set()


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameters_declared_are_those_received(stage: str) -> None:
    names = json.loads(Project(REPO).run("python", "-c", SECTIONS_OF, stage).stdout)
    expected = {key for name in names for key in SECTIONS.get(name, [to_key(name)])}
    found = {key.removesuffix(".kind") for key in declared(stage)["params"]}
    assert found == expected


SECTIONS = {
    "AnyTask": ["tasks.toy"],
    "Resolved": ["tasks.toy", "models"],
    "Compared": ["models", "evaluate"],
    "Sample": ["tasks.toy", "sample"],
    "Train": ["tasks.toy", "train"],
}
"""Keys of params.yaml behind what is made of several sections."""


def to_key(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
