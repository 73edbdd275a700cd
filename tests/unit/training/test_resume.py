"""A training that is stopped and goes on ends as one that was not stopped, to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from esetrag.core import config
from esetrag.core.errors import TrainingError
from esetrag.training import resume, trainer
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates
from esetrag.training.trainer import Trained
from tests.unit.training.small import options_of, resolved

pytestmark = pytest.mark.usefixtures("single_thread")

CASES: dict[str, dict[str, Any]] = {
    "usual": {"analogies": 84},
    "constant rate, in order": {"schedule": "constant", "shuffle": False, "clip": None},
    "one thing after another": {"pool": 1, "label_smoothing": 0.0, "weight_decay": 0.0},
    "patience": {"epochs": 15, "patience": 2, "schedule": "constant", "learning_rate": 0.2, "clip": None},
    "two layers, one direction": {"layers": 2, "bidirectional": False, "analogies": 200},
}


class StoppedError(Exception):
    pass


def stop_after(number: int) -> Callable[[Epoch], None]:
    def listener(epoch: Epoch) -> None:
        if epoch.epoch == number:
            raise StoppedError

    return listener


@pytest.fixture
def fit(tiny_data: Data, params: config.Params) -> Any:
    """Trains a case; the saved state is that of its one expert."""

    def run(saved: SavedStates | None = None, listener: Any = None, **changed: Any) -> Trained:
        shape = {name: changed.pop(name) for name in ("layers", "bidirectional") if name in changed}
        model = resolved(params, "bilstm", dropout=0.3, **shape)
        options = options_of(params, **{"epochs": 4, **changed})
        return trainer.fit(tiny_data, model, options, [listener] if listener else [], lambda _: saved)

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
        epochs: list[Epoch] = []
        torch.rand(17)  # the training has random numbers of its own
        assert outcome(fit(SavedStates(folder, "key"), epochs.append, **CASES[case])) == whole, number
        assert epochs == whole[0], "listeners receive the epochs before, too"


@pytest.mark.parametrize("case", ["usual", "patience"])
def test_stopped_after_every_epoch_it_ends_as_if_it_had_not_been(
    case: str, fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(**CASES[case]))
    for number in range(len(whole[0])):
        with pytest.raises(StoppedError):
            fit(SavedStates(tmp_path, "key"), stop_after(number), **CASES[case])
    assert outcome(fit(SavedStates(tmp_path, "key"), **CASES[case])) == whole
    assert capsys.readouterr().err.splitlines() == [
        f"training: goes on after epoch {number} ({tmp_path})" for number in range(1, len(whole[0]))
    ]


def test_saving_changes_nothing_of_the_result(fit: Any, tmp_path: Path) -> None:
    assert outcome(fit(SavedStates(tmp_path, "key", every=0))) == outcome(fit())


def test_states_are_saved_by_the_clock(fit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    seen = []

    def listener(epoch: Epoch) -> None:
        seen.append(len(content(tmp_path)["epochs"]) if (tmp_path / "state").exists() else 0)
        clock[0] += 1

    fit(SavedStates(tmp_path, "key", every=2.5), listener, epochs=9)
    assert seen == [0, 0, 0, 4, 4, 4, 7, 7, 7, 10]


def content(folder: Path) -> Any:
    """What the saved state says beside its tensors."""
    return json.loads((folder / "state").read_bytes().split(b"\n")[1])


@pytest.fixture
def stopped(fit: Any, tmp_path: Path) -> Path:
    """The state of a training that was stopped after five of six epochs."""
    folder = tmp_path / "states"
    with pytest.raises(StoppedError):
        fit(SavedStates(folder, "key"), stop_after(5), epochs=6)
    return folder


def flip(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:-7],
    "a bit flipped": flip,
    "another loss": lambda data: data.replace(b"0.", b"1.", 1),
    "empty": lambda _: b"",
    "a pickle": lambda _: b"\x80\x04.",
    "a line": lambda data: data.split(b"\n")[0],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_state_is_ignored_in_one_line(
    change: str, stopped: Path, fit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit(epochs=6))
    path = stopped / "state"
    path.write_bytes(CHANGES[change](path.read_bytes()))
    assert outcome(fit(SavedStates(stopped, "key"), epochs=6)) == whole
    message = capsys.readouterr().err
    assert message == f"training: starts anew, since the saved state is damaged ({stopped})\n"


def test_a_state_of_another_configuration_is_ignored_in_one_line_and_replaced(
    stopped: Path, fit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(fit())
    assert outcome(fit(SavedStates(stopped, "another", every=0))) == whole
    message = capsys.readouterr().err
    assert (
        message == f"training: starts anew, since the saved state is of another configuration ({stopped})\n"
    )
    assert content(stopped)["key"] == "another"


def test_a_place_that_cannot_be_written_costs_one_line(
    fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    trained = fit(SavedStates(tmp_path / "file", "key", every=0))
    assert outcome(trained) == outcome(fit())
    message = capsys.readouterr().err.splitlines()
    assert len(message) == 1
    assert message[0].startswith("training: its state is not saved (")


def test_a_loss_that_is_no_number_is_never_saved(fit: Any, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"in epoch 1; lower train\.learning_rate"):
            fit(SavedStates(tmp_path, "key", every=0), learning_rate=1e30)


def test_the_state_is_removed_when_it_is_no_longer_wanted(stopped: Path) -> None:
    SavedStates(stopped, "key").clear()
    assert not stopped.exists()
    SavedStates(stopped, "key").clear()


def test_the_key_is_of_the_files_the_parameters_and_the_libraries(
    params: config.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table"
    table.write_bytes(b"one")

    def made(**changed: Any) -> str:
        return resume.key([table], [params.models["bilstm"], params.train.model_copy(update=changed)])

    keys = [made(), made(epochs=21), made(seed=2)]
    assert made() == keys[0]
    monkeypatch.setattr("esetrag.core.versions.installed", lambda: {"torch": "another"})
    keys.append(made())
    table.write_bytes(b"two")
    assert len({*keys, made()}) == 5


def test_the_key_is_of_all_code_that_a_training_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[Path]()
    monkeypatch.setattr("esetrag.core.files.sha256", lambda path: str(read.append(path)))  # type: ignore[func-returns-value]
    resume.key([], [])
    called = {"core", "scoring", "data", "symbols", "models", "training"}
    assert called <= {path.parent.name for path in read}
