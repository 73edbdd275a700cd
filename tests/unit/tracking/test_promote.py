"""Challenges in a real store."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core.errors import CheckpointError, DataError, EsetragError, TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import promote, store
from esetrag.tracking.promote import Verdict
from tests.unit.tracking.conftest import PARAMS, TASK, Log, predictions

HALF, FEWER, ONE_MORE = range(0, 200, 2), range(0, 200, 4), range(2, 200, 2)
FIRST = f"{TASK} had no champion."


def challenge(name: str | None, layout: Layout, anyway: bool = False) -> Verdict:
    return promote.promote(layout, PARAMS, name, anyway)


def present() -> tuple[int, str, str] | None:
    """The champion's version, its run, and why it is the champion."""
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        version = opened.champion(TASK)
        return (int(version.version), version.run_id, version.tags[promote.WHY]) if version else None


def test_the_first_is_champion_and_again_it_is_already(log: Log, layout: Layout) -> None:
    run_id = log("first", predictions(HALF))
    assert present() is None
    verdict = challenge("first", layout)
    assert verdict == Verdict(True, f"{FIRST}\n{TASK}: version 1 is the champion now.")
    assert present() == (1, run_id, FIRST)
    already = Verdict(True, f"{TASK}: version 1 is the champion already.")
    assert challenge(run_id, layout) == challenge(None, layout) == already


def test_who_is_significantly_better_takes_over_and_the_figures_stay_with_the_version(
    log: Log, layout: Layout
) -> None:
    log("half", predictions(HALF))
    challenge("half", layout)
    better = log("better", predictions(FEWER))
    verdict = challenge("better", layout)
    assert verdict.is_champion
    figures, done = verdict.text.splitlines()
    assert figures.startswith(
        "version 2 is correct on 50 more of 200 forms than version 1: +25.00 points (95 %"
    )
    assert figures.endswith("p < 0.001.")
    assert done == f"{TASK}: version 2 is the champion now."
    assert present() == (2, better, figures)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (ONE_MORE, "version 2 is correct on 1 more of 200 forms than version 1: +0.50 points"),
        (range(150), "version 2 is correct on 50 fewer of 200 forms than version 1: -25.00 points"),
    ],
    ids=["not significant", "worse"],
)
def test_who_is_not_takes_over_only_if_that_is_wanted(
    log: Log, layout: Layout, wrong: Collection[int], text: str
) -> None:
    half = log("half", predictions(HALF))
    challenge("half", layout)
    other = log("other", predictions(wrong))
    verdict = challenge("other", layout)
    assert not verdict.is_champion
    assert verdict.text.startswith(text)
    stays = f"{TASK}: version 1 stays the champion; to promote version 2 still: --anyway"
    assert verdict.text.splitlines()[-1] == stays
    assert present() == (1, half, FIRST)

    verdict = challenge("other", layout, anyway=True)
    assert verdict.is_champion
    assert present() == (2, other, f"{verdict.text.splitlines()[0]} Promoted anyway.")


def relabelled(table: pa.Table) -> pa.Table:
    """As many rows, the first of them with another label, and all of them correct."""
    labels = pa.array(["C4", *table["label"].to_pylist()[1:]])
    return table.set_column(3, "label", labels).set_column(4, "predicted", labels)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (predictions((), range(190)), "found 190 such rows of 190 and 200"),
        (
            predictions((), range(10, 210)),
            "found 190 such rows of 200 and 200",
        ),
        (predictions((), range(1000, 1200)), "share no test row"),
        (relabelled(predictions(())), "found 199 such rows of 200 and 200"),
    ],
    ids=["fewer rows", "as many other rows", "no common row", "another label"],
)
def test_other_test_rows_or_labels_are_no_comparison(
    log: Log, layout: Layout, table: pa.Table, text: str
) -> None:
    first = log("first", predictions(HALF))
    challenge("first", layout)
    log("other", table)
    with pytest.raises(DataError, match=f"{text}.*; to promote it still: --anyway$"):
        challenge("other", layout)
    assert present() == (1, first, FIRST)
    verdict = challenge("other", layout, anyway=True)
    assert verdict.text.startswith("Not compared: ")
    assert verdict.is_champion
    now = present()
    assert now is not None
    assert now[2].endswith("Promoted anyway.")


def test_a_model_that_cannot_be_loaded_is_no_champion(log: Log, layout: Layout, tmp_path: Path) -> None:
    log("damaged")
    (weights,) = (tmp_path / "store/mlartifacts").rglob("model.safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    for anyway in (False, True):
        with pytest.raises(CheckpointError, match="its SHA-256 is not the one in its manifest"):
            challenge("damaged", layout, anyway)
    shutil.rmtree(weights.parent)
    with pytest.raises(EsetragError):
        challenge("damaged", layout)
    assert present() is None


def test_a_champion_whose_run_is_deleted_is_compared_until_it_is_gone(log: Log, layout: Layout) -> None:
    first = log("first", predictions(HALF))
    challenge("first", layout)
    log("worse", predictions(range(150)))
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        opened.client.delete_run(first)
    assert "50 fewer of 200 forms" in challenge("worse", layout).text
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        opened.client._tracking_client.store._hard_delete_run(first)  # as mlflow gc does
    with pytest.raises(TrackingError, match=r"version 1: its run and its predictions are gone; .* --anyway"):
        challenge("worse", layout)


def test_who_is_no_candidate_is_told(log: Log, layout: Layout) -> None:
    with pytest.raises(TrackingError, match=r"no finished run of .* called nobody; list them: make ui"):
        challenge("nobody", layout)
    run_id = log("only")
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        opened.client.set_terminated(run_id, "FAILED")
    with pytest.raises(TrackingError, match=r"no finished run of .* of the files as they are now; log it"):
        challenge(None, layout)
    assert present() is None
