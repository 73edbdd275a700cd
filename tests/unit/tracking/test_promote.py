"""Challenges in a real store, between runs that hold predictions alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from esetrag.core import config
from esetrag.core.errors import DataError, EsetragError, TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import promote, registry, store
from esetrag.tracking.promote import Verdict
from tests.project import REPO
from tests.unit.tracking.misclassified import FORMS, LEMMAS, misread

TASK = "toy"
GIVEN = config.load(REPO / "params.yaml")
HALF, FEWER, ONE_MORE = range(0, 200, 2), range(0, 200, 4), range(2, 200, 2)


@pytest.fixture(scope="module")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run; tests work on copies."""
    place = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        use(place, patch)
        with store.opened(GIVEN.tracking.experiment):
            pass
    return place


def use(place: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(store.VARIABLE, f"sqlite:///{place / 'mlflow.db'}")  # MLflow exports it; put back afterwards
    patch.setenv("DVC_ROOT", str(place))


Log = Callable[..., str]


@pytest.fixture
def log(new_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Logs a finished run that read the rows of these numbers wrong; its name is its id as well."""
    shutil.copytree(new_store, tmp_path / "store")
    use(tmp_path / "store", monkeypatch)

    def finished(name: str, wrong: Collection[int], rows: range = range(FORMS * LEMMAS), **tags: str) -> str:
        pq.write_table(misread(wrong, rows), tmp_path / "predictions.parquet")
        with store.opened(GIVEN.tracking.experiment) as opened:
            client, entities = opened.client, opened.mlflow.entities
            run = client.create_run(
                opened.experiment_id, tags={store.KEY: name, "task": TASK, **tags}, run_name=name
            )
            client.log_artifact(run.info.run_id, str(tmp_path / "predictions.parquet"))
            model = client.create_logged_model(opened.experiment_id, source_run_id=run.info.run_id)
            client.log_outputs(run.info.run_id, [entities.LoggedModelOutput(model.model_id, 0)])
            client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)

    return finished


def challenge(name: str, anyway: bool = False) -> Verdict:
    return promote.promote(Layout(TASK), GIVEN, name, anyway)


def present() -> tuple[int, str, dict[str, str]] | None:
    """The champion's version, run and tags."""
    with store.opened(GIVEN.tracking.experiment) as opened:
        found = registry.champion(opened, TASK)
        return (int(found.version), found.run_id, found.tags) if found else None


def test_the_first_is_champion_and_again_it_is_already(log: Log) -> None:
    run_id = log("first", HALF)
    assert present() is None
    verdict = challenge("first")
    assert verdict.is_champion
    assert verdict.text == "toy had no champion.\ntoy: version 1 is the champion now."
    assert present() == (1, run_id, {registry.WHY: "toy had no champion."})
    assert challenge(run_id) == Verdict(True, "toy: version 1 is the champion already.")


def test_who_is_surely_better_takes_over_and_the_figures_stay_with_the_version(log: Log) -> None:
    log("half", HALF)
    better = log("better", FEWER)
    challenge("half")
    verdict = challenge("better")
    assert verdict.is_champion
    figures, done = verdict.text.splitlines()
    assert figures.startswith(
        "version 2 reads 50 more of 200 forms right than version 1: +25.00 points (95 %"
    )
    assert "p < 0.001" in figures
    assert done == "toy: version 2 is the champion now."
    assert present() == (2, better, {registry.WHY: figures})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ONE_MORE, "version 2 reads 1 more of 200 forms right than version 1: +0.50 points"),
        (HALF, "version 2 and version 1 read the same 100 of 200 forms right."),
        (range(150), "version 2 reads 50 fewer of 200 forms right than version 1: -25.00 points"),
    ],
    ids=["this may be chance", "none", "worse"],
)
def test_who_is_not_surely_better_takes_over_only_if_told_so(log: Log, wrong: range, said: str) -> None:
    half, other = log("half", HALF), log("other", wrong)
    challenge("half")
    verdict = challenge("other")
    assert not verdict.is_champion
    assert verdict.text.startswith(said)
    last = verdict.text.splitlines()[-1]
    assert last == "toy: version 1 stays the champion; to promote version 2 still: --anyway"
    assert present() == (1, half, {registry.WHY: "toy had no champion."})

    verdict = challenge("other", anyway=True)
    assert verdict.is_champion
    assert verdict.text.startswith(said)
    assert present() == (2, other, {registry.WHY: f"{verdict.text.splitlines()[0]} Promoted anyway."})


def test_other_test_rows_are_no_comparison(log: Log) -> None:
    first = log("all", HALF)
    challenge("all")
    for name, rows, found in (
        ("fewer", range(190), "found 190 such rows of 190 and 200; to promote it still: --anyway"),
        ("others", range(1000, 1200), "share no test row"),
    ):
        last = log(name, (), rows)
        with pytest.raises(DataError, match=found):
            challenge(name)
        assert present() == (1, first, {registry.WHY: "toy had no champion."})
    verdict = challenge("others", anyway=True)
    why, done = verdict.text.splitlines()
    assert why.startswith("Not compared: version 1 and version 3 share no test row")
    assert done == "toy: version 3 is the champion now."
    assert present() == (3, last, {registry.WHY: f"{why} Promoted anyway."})


def test_a_champion_whose_run_is_deleted_is_still_compared(log: Log) -> None:
    run_id = log("old", HALF)
    log("new", FEWER)
    challenge("old")
    with store.opened(GIVEN.tracking.experiment) as opened:
        opened.client.delete_run(run_id)
    assert challenge("new").text.startswith("version 2 reads 50 more")


def test_what_is_no_candidate_is_told_so_in_a_line(log: Log) -> None:
    with pytest.raises(TrackingError, match="no finished run called nobody; list them: make ui"):
        challenge("nobody")
    log("foreign", HALF, task="other")
    with pytest.raises(TrackingError, match="a run of the task other; to promote it: --task other"):
        challenge("foreign")
    with pytest.raises(EsetragError, match="the pipeline has not run to its end: dvc repro"):
        promote.promote(Layout("nowhere"), GIVEN)
    assert present() is None


def test_a_run_is_one_version_however_often_it_is_registered(log: Log) -> None:
    runs = [log("a", HALF), log("b", HALF), log("a again", HALF)]
    with store.opened(GIVEN.tracking.experiment) as opened:
        for _ in range(2):
            versions = [registry.register(opened, TASK, run_id).version for run_id in runs]
            assert [str(version) for version in versions] == ["1", "2", "3"]
