"""The shape of the library that everything stands on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import REPO

PACKAGE = REPO / "src/esetrag"
ORDER = ("core", "scoring", "data", "symbols", "models", "training", "tasks", "analysis", "report", "predict",
         "tracking", "experiments", "cli")  # fmt: skip
"""Each may import itself and those before it; ``cli`` stands for what is in no package."""
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
STAGES = sorted((REPO / "stages").glob("*.py"))
SOURCES = [*MODULES.values(), *STAGES]


def named(tree: ast.AST) -> Iterator[str]:
    """All names that a file imports, also within functions and for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def imports(path: Path) -> set[str]:
    return set(named(ast.parse(path.read_text("utf-8"))))


def package_of(module: str) -> str:
    """``core`` for ``esetrag.core.files``; ``cli`` for modules in no package, and for none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else "cli"


def test_every_package_has_a_place_in_the_order() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"cli"} == set(ORDER)


@pytest.mark.parametrize("name", MODULES)
def test_packages_import_only_downwards(name: str) -> None:
    own = {used for used in imports(MODULES[name]) if used in MODULES and used != "esetrag"}
    upwards = {used for used in own if ORDER.index(package_of(used)) > ORDER.index(package_of(name))}
    assert not upwards
    assert package_of(name) != "scoring" or {package_of(used) for used in own} <= {"core", "scoring"}


def test_imports_form_no_circle() -> None:
    left = {name: imports(path) & MODULES.keys() - {"esetrag"} for name, path in MODULES.items()}
    while left:
        ready = {name for name, used in left.items() if not used & left.keys()}
        assert ready, f"a circle among {sorted(left)}"
        left = {name: used for name, used in left.items() if name not in ready}


def test_mlflow_is_imported_by_one_module_and_lazily() -> None:
    importers = [path for path in SOURCES if any(name.split(".")[0] == "mlflow" for name in imports(path))]
    assert importers == [MODULES["esetrag.tracking.store"]]
    tree = ast.parse(importers[0].read_text("utf-8"))
    at_once = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert not any("mlflow" in name for name in named(ast.Module(body=at_once, type_ignores=[])))


@pytest.mark.parametrize("name", MODULES)
def test_no_module_asks_for_the_kind_of_a_network_or_model(name: str) -> None:
    """Networks share one interface; what a kind needs is looked up in the tables of the factories."""
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
                classes = {child.id for child in ast.walk(kinds) if isinstance(child, ast.Name)}
                classes |= {child.attr for child in ast.walk(kinds) if isinstance(child, ast.Attribute)}
                assert not classes & {"BilstmClassifier", "NgramClassifier", "Blend", "LemmaPrior", "Network"}
            case ast.Compare(left=ast.Attribute(attr="kind")):
                pytest.fail(ast.unparse(node))


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted((REPO / "bench").glob("*.py"))], ids=lambda path: path.name
)
def test_nothing_is_pickled(path: Path) -> None:
    names = {name.split(".")[0] for name in imports(path)}
    assert not names & {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}
    pickling = r"(?<!safetensors\.)torch\.(save|load)\(|to_pickle|read_pickle|allow_pickle"
    assert not re.search(pickling, path.read_text("utf-8"))


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.name)
def test_stage_scripts_are_thin(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 70
    assert {name.split(".")[0] for name in imports(path)} <= {"esetrag", "pathlib", "dataclasses"}


def test_files_stay_readable() -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > 280} == {}
    assert not {"utils", "helpers", "misc", "common"} & {name.rpartition(".")[2] for name in MODULES}
