"""The shape of the library that everything stands on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.project import REPO

PACKAGE = REPO / "src/esetrag"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
PACKAGES = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
SOURCES = [*MODULES.values(), *sorted((REPO / "stages").glob("*.py"))]


def imports(path: Path) -> set[str]:
    """All names a file imports, those within functions included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_imports_form_no_circle() -> None:
    of_modules = {name: imports(path) & MODULES.keys() for name, path in MODULES.items()}
    of_packages = {
        package: {
            used.split(".")[1]
            for name, uses in of_modules.items()
            if name.startswith(f"esetrag.{package}.")
            for used in uses
            if used.count(".") == 2
        }
        - {package}
        for package in PACKAGES
    }
    for left in (of_modules, of_packages):
        while left:
            ready = {name for name, used in left.items() if not used & left.keys()}
            assert ready, f"a circle among {sorted(left)}"
            left = {name: used for name, used in left.items() if name not in ready}


def test_mlflow_is_imported_by_one_module_and_lazily() -> None:
    importers = [path for path in SOURCES if any(name.split(".")[0] == "mlflow" for name in imports(path))]
    assert importers == [MODULES["esetrag.tracking.store"]]
    tree = ast.parse(MODULES["esetrag.tracking.store"].read_text("utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "mlflow" not in ast.dump(ast.Module(body=list(top), type_ignores=[]))


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted((REPO / "bench").glob("*.py"))], ids=lambda path: path.name
)
def test_nothing_is_pickled(path: Path) -> None:
    names = {name.split(".")[0] for name in imports(path)}
    assert not names & {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}
    assert not re.search(
        r"(?<!safetensors\.)torch\.(save|load)\(|to_pickle|read_pickle|allow_pickle", path.read_text("utf-8")
    )


def test_stage_scripts_are_thin_and_stages_of_the_pipeline_are_scripts() -> None:
    for path in sorted((REPO / "stages").glob("*.py")):
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 40, path.name
        outside = {name.split(".")[0] for name in imports(path)} - {"esetrag", "pathlib", "dataclasses"}
        assert not outside, path.name


def test_files_stay_readable() -> None:
    assert {
        name for name, path in MODULES.items() if len(path.read_text("utf-8").splitlines()) > 280
    } == set()
    assert not {"utils", "helpers", "misc", "common"} & {name.rpartition(".")[2] for name in MODULES}
