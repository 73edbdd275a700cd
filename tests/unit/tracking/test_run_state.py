from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import config, files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS, Layout
from esetrag.scoring.calibration import Calibration, ModelOutput
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import evaluation
from esetrag.tracking import run_state
from esetrag.tracking.run_state import State

HOW = config.Evaluate(seed=1, resamples=300, confidence=0.95, suffix_length=6, stress=9)


@pytest.fixture
def layout(
    tmp_path: Path, repo: Path, tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, given: config.Params
) -> Layout:
    """What a comparison reads of a finished pipeline."""
    layout = Layout("hun-noun-case", tmp_path)
    shares = np.random.default_rng(1).dirichlet(np.ones(7), len(tiny_rows)).astype(np.float32)
    read = ModelOutput(shares, Calibration())
    rows = dict.fromkeys(PARTS, tiny_rows)
    result = evaluation.evaluate(rows, [read], tiny_vocabulary.labels, HOW, given.calibration)
    files.write_bytes(tmp_path / "params.yaml", (repo / "params.yaml").read_bytes())
    files.write_json(layout.metrics / "test.json", result.figures)
    files.write_json(layout.metrics / "train.json", {"dev_loss": 0.5})
    tables.write(layout.predictions, result.predictions)
    return layout


def test_the_workspace_is_a_state(layout: Layout, given: config.Params, tiny_rows: pa.Table) -> None:
    found = State.named("workspace", layout, "esetrag")
    assert found.name == "workspace"
    assert found.params["task.feature"] == "Case"
    assert found.params["train.learning_rate"] == given.train.learning_rate
    assert not any(name.startswith(("tasks", "tracking")) for name in found.params)
    assert (found.metrics["test.rows"], found.metrics["best.dev_loss"]) == (84, 0.5)
    assert found.predictions.column_names == list(run_state.COLUMNS)
    assert found.predictions.select(tables.SAMPLE.names).to_pylist() == tiny_rows.to_pylist()


def test_parameters_of_another_time_are_read_as_they_are(layout: Layout) -> None:
    text = (layout.root / "params.yaml").read_text("utf-8")
    files.write_text(layout.root / "params.yaml", text.replace("  clip: 1.0", "  momentum: 1e-3"))
    found = State.of_workspace(layout)
    assert found.params["train.momentum"] == 0.001
    assert "train.clip" not in found.params


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metrics/hun-noun-case/test.json", None, "is not there; get it: dvc repro"),
        ("data/hun-noun-case/predictions.parquet", None, "is not there; get it: dvc repro"),
        ("data/hun-noun-case/predictions.parquet", b"PAR1", "cannot be read"),
        ("metrics/hun-noun-case/train.json", b"{", "cannot be read"),
        ("params.yaml", b"a: [", "cannot be read"),
        ("params.yaml", b"- 1", "cannot be read"),
        ("params.yaml", b"tasks: {other: {}}", "no task 'hun-noun-case' in params.yaml; known: other"),
    ],
)
def test_a_file_that_is_missing_or_torn_is_told(
    layout: Layout, name: str, content: bytes | None, said: str
) -> None:
    path = layout.root / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        State.of_workspace(layout)
    assert said in str(caught.value)
    assert Path(name).name in str(caught.value)
    assert str(caught.value).startswith("workspace: ")
    assert "\n" not in str(caught.value)
