from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esetrag.cli import main
from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.predict.predictor import Predictor
from tests import writing

Run = Callable[..., str]


@pytest.fixture
def predictor(tiny_checkpoint: Path) -> Predictor:
    return Predictor.load(tiny_checkpoint)


@pytest.fixture(scope="session")
def toy_checkpoint(tmp_path_factory: pytest.TempPathFactory, params: config.Params) -> Path:
    """Of a model that inflects."""
    layout = Layout("toy", tmp_path_factory.mktemp("toy"))
    writing.trained().save(layout, writing.toy(), writing.options(), params.calibration)
    return layout.checkpoint


@pytest.fixture
def run(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Run:
    """Runs the command in the process of the tests."""

    def predict(*arguments: object, stdin: bytes = b"") -> str:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        main(["predict", "--checkpoint", str(tiny_checkpoint), *map(str, arguments)])
        return capfdbinary.readouterr().out.decode()

    return predict


@pytest.fixture
def refuse(run: Run, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command that ends in one line and exit code 2."""

    def predict(*arguments: object, stdin: bytes = b"") -> str:
        with pytest.raises(SystemExit, match=r"^2$"):
            run(*arguments, stdin=stdin)
        error = capfdbinary.readouterr().err.decode()
        assert error.startswith("esetrag: ")
        assert len(error.splitlines()) == 1
        return error

    return predict


def table(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]
