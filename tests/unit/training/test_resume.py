"""A training that is stopped and goes on ends as one that was not stopped, to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from esetrag.core import config
from esetrag.core.errors import TrainingError
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import resume, trainer
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates
from esetrag.training.trainer import Trained

pytestmark = pytest.mark.usefixtures("single_thread")

ROWS = 70
CASES: dict[str, dict[str, Any]] = {
    "lstm": {"kind": "lstm", "analogies": ROWS, "shuffle": True},
    "lstm, constant rate, in order": {"kind": "lstm", "schedule": "constant", "shuffle": False, "clip": None},
    "lstm, one thing after another": {"kind": "lstm", "pool": 1, "label_smoothing": 0.0, "weight_decay": 0.0},
    "lstm that loses patience": {
        "kind": "lstm",
        "epochs": 15, "patience": 2, "schedule": "constant", "learning_rate": 0.2, "clip": None,
    },
    "two layers, one direction": {"kind": "lstm", "layers": 2, "bidirectional": False, "analogies": 200},
    "ngram": {"kind": "ngram", "iterations": 14},
    "ngram with analogies": {"kind": "ngram", "iterations": 6, "analogies": 7 * ROWS},
    "ngram that finds the bottom": {"kind": "ngram", "iterations": 500, "penalty": 10.0},
    "ngram that loses patience": {"kind": "ngram", "iterations": 30, "penalty": 0.001, "patience": 2},
}  # fmt: skip


class StoppedError(Exception):
    pass


def stop_after(number: int) -> Callable[[Epoch], None]:
    def listener(epoch: Epoch) -> None:
        if epoch.epoch == number:
            raise StoppedError

    return listener


@pytest.fixture
def fit(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, given: config.Params) -> Any:
    """Trains a case."""
    train, dev = (
        encoding.encode_rows(rows, tiny_vocabulary, 10, "end")
        for rows in (tiny_rows.slice(0, ROWS), tiny_rows.slice(ROWS))
    )
    analogies = Analogies.of(tiny_rows.slice(0, ROWS), tiny_vocabulary)

    def run(saved: SavedStates | None = None, listener: Any = None, **changed: Any) -> Trained:
        shape = {"embedding": 8, "hidden": 12, "dropout": 0.3}
        usual = {"device": "cpu", "epochs": 4, "batch_size": 16, "iterations": 9, "analogies": 0}
        model, how = given.model.model_dump() | shape, given.train.model_dump() | usual
        for name, value in changed.items():
            (model if name in model else how)[name] = value
        return trainer.fit(
            train,
            dev,
            tiny_vocabulary,
            config.Model.model_validate(model),
            config.Train.model_validate(how),
            analogies,
            [listener] if listener else [],
            saved,
        )

    return run


def outcome(trained: Trained) -> tuple[list[Epoch], list[bytes]]:
    return trained.epochs, [value.numpy().tobytes() for value in trained.network.state_dict().values()]


@pytest.mark.parametrize("case", CASES)
def test_stopped_after_any_epoch_it_ends_as_if_it_had_not_been(case: str, fit: Any, tmp_path: Path) -> None:
    whole = outcome(fit(**CASES[case]))
    assert len(whole[0]) > 3
    for number in range(len(whole[0])):
        folder = tmp_path / str(number)
        with pytest.raises(StoppedError):
            fit(SavedStates(folder, "key"), stop_after(number), **CASES[case])
        told: list[Epoch] = []
        torch.rand(17)  # chance of the process is none of the training's
        assert outcome(fit(SavedStates(folder, "key"), told.append, **CASES[case])) == whole, number
        assert told == whole[0], "listeners hear of the epochs before too"


@pytest.mark.parametrize("case", ["lstm", "ngram", "lstm that loses patience"])
def test_stopped_after_every_epoch_it_ends_as_if_it_had_not_been(
    case: str, fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(**CASES[case]))
    for number in range(len(whole[0])):
        with pytest.raises(StoppedError):
            fit(SavedStates(tmp_path, "key"), stop_after(number), **CASES[case])
    assert outcome(fit(SavedStates(tmp_path, "key"), **CASES[case])) == whole
    assert capsys.readouterr().err.splitlines() == [
        f"training: goes on after epoch {number} ({tmp_path})" for number in range(len(whole[0]))
    ]


@pytest.mark.parametrize("kind", ["lstm", "ngram"])
def test_saving_changes_nothing_of_the_result(kind: str, fit: Any, tmp_path: Path) -> None:
    assert outcome(fit(SavedStates(tmp_path, "key", every=0), kind=kind)) == outcome(fit(kind=kind))


def test_states_are_saved_by_the_clock_and_two_are_kept(
    fit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    seen = []

    def listener(epoch: Epoch) -> None:
        seals = [json.loads(path.read_bytes())["epoch"] for path in tmp_path.glob("*.json")]
        seen.append((epoch.epoch, sorted(seals)))
        clock[0] += 1

    fit(SavedStates(tmp_path, "key", every=2.5), listener, kind="ngram", iterations=9)
    assert [found for _, found in seen] == [
        [], [], [], [3], [3], [3], [3, 6], [3, 6], [3, 6], [6, 9],
    ]  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 4


@pytest.fixture
def stopped(fit: Any, tmp_path: Path) -> Path:
    """States of a training that was stopped after five of six epochs."""
    folder = tmp_path / "states"
    with pytest.raises(StoppedError):
        fit(SavedStates(folder, "key", every=0), stop_after(5), kind="ngram", iterations=6)
    return folder


def newest(folder: Path) -> Path:
    seals = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return seals[-1].with_suffix(".safetensors")


def spoil_all(folder: Path, change: Callable[[Path], None]) -> None:
    for path in [*folder.glob("*.safetensors")]:
        change(path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap_seal(path: Path) -> None:
    path.with_suffix(".json").write_text('{"format": 1}')


def no_json(path: Path) -> None:
    path.with_suffix(".json").write_bytes(b"\x80\x04.")


def huge_header(path: Path) -> None:
    path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:])


def raise_epoch(path: Path) -> None:
    seal = path.with_suffix(".json")
    seal.write_text(json.dumps(json.loads(seal.read_bytes()) | {"epoch": 6}))


def take_away(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "change",
    [truncate, flip, swap_seal, no_json, huge_header, raise_epoch, take_away],
    ids=lambda f: f.__name__,
)
def test_a_damaged_state_is_ignored_in_one_line(
    change: Callable[[Path], None], stopped: Path, fit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(kind="ngram", iterations=6))
    spoil_all(stopped, change)
    assert outcome(fit(SavedStates(stopped, "key"), kind="ngram", iterations=6)) == whole
    assert capsys.readouterr().err == f"training: begins anew; saved state ignored: damaged ({stopped})\n"


def test_the_older_state_steps_in_for_a_damaged_one(
    fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(kind="ngram", iterations=6))
    fit(SavedStates(tmp_path, "key", every=0), kind="ngram", iterations=6)
    flip(newest(tmp_path))
    assert outcome(fit(SavedStates(tmp_path, "key"), kind="ngram", iterations=6)) == whole
    said = capsys.readouterr().err
    assert said == f"training: goes on after epoch 5; saved state ignored: damaged ({tmp_path})\n"


def test_a_state_of_another_configuration_is_ignored_in_one_line_and_replaced(
    stopped: Path, fit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(kind="lstm"))
    assert outcome(fit(SavedStates(stopped, "another", every=0), kind="lstm")) == whole
    assert capsys.readouterr().err == (
        f"training: begins anew; saved state ignored: of another configuration ({stopped})\n"
    )
    assert {json.loads(path.read_bytes())["key"] for path in stopped.glob("*.json")} == {"another"}


def test_what_a_killed_writer_left_is_removed(fit: Any, tmp_path: Path) -> None:
    (tmp_path / ".state-0.safetensors.a1b2c3d4").write_bytes(b"half")
    fit(SavedStates(tmp_path, "key"), kind="ngram")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_once_and_training_goes_on(
    fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    trained = fit(SavedStates(tmp_path / "file", "key", every=0), kind="ngram")
    assert outcome(trained) == outcome(fit(kind="ngram"))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("training: its state is not saved (")


def test_a_loss_that_is_no_number_is_never_saved(fit: Any, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"in epoch 1; lower train\.penalty"):
            fit(SavedStates(tmp_path, "key", every=0), kind="ngram", penalty=1e308)


def test_states_are_removed_when_they_are_no_longer_wanted(stopped: Path) -> None:
    SavedStates(stopped, "key").clear()
    assert not stopped.exists()
    SavedStates(stopped, "key").clear()


def test_the_key_is_of_the_files_the_parameters_and_the_libraries(
    given: config.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table"
    table.write_bytes(b"one")

    def made(**changed: Any) -> str:
        return resume.key([table], [given.model, given.train.model_copy(update=changed)])

    assert made() == made()
    assert made(epochs=21) != made()
    assert made(seed=2) != made()
    before = made()
    monkeypatch.setattr("esetrag.core.versions.installed", lambda: {"torch": "another"})
    assert made() != before
    before = made()
    table.write_bytes(b"two")
    assert made() != before
