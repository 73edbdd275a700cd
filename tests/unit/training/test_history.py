from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.core.errors import DataError
from esetrag.training import history
from esetrag.training.history import Epoch


def epoch(number: int, dev_loss: float, dev_accuracy: float = 0.5) -> Epoch:
    return Epoch(number, 1.0, 0.5, dev_loss, dev_accuracy, 0.01)


def test_the_best_epoch_has_the_least_dev_loss_not_the_best_accuracy() -> None:
    epochs = [epoch(0, 2.0), epoch(1, 0.5, 0.8), epoch(2, 0.4, 0.7), epoch(3, 0.9, 0.9)]
    assert history.best(epochs).epoch == 2


def test_of_equal_losses_the_latest_epoch_is_best() -> None:
    assert history.best([epoch(0, 2.0), epoch(1, 0.5), epoch(2, 0.5), epoch(3, 0.6)]).epoch == 2


def test_the_untrained_network_is_best_only_when_there_is_no_other() -> None:
    assert history.best([epoch(0, 0.1), epoch(1, 3.0)]).epoch == 1
    assert history.best([epoch(0, 0.1)]).epoch == 0


def test_a_history_survives_its_file_to_the_last_bit(tmp_path: Path) -> None:
    epochs = [Epoch(0, 1 / 3, 0.1, 2.0000000000000004, 0.7, 0.0), Epoch(1, 1e-17, 1.0, 0.0, 1.0, 4e-4)]
    path = tmp_path / "history.csv"
    path.write_bytes(history.to_csv(epochs).encode())
    assert history.read(path) == epochs


def test_the_table_has_a_heading_and_a_line_an_epoch() -> None:
    assert history.to_csv([epoch(0, 2.5), epoch(1, 0.25)]) == (
        "epoch,train_loss,train_accuracy,dev_loss,dev_accuracy,learning_rate\n"
        "0,1.0,0.5,2.5,0.5,0.01\n"
        "1,1.0,0.5,0.25,0.5,0.01\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"epoch,loss\n0,1.0\n",
        b"epoch,train_loss,train_accuracy,dev_loss,dev_accuracy,learning_rate\n0,1.0\n",
        b"epoch,train_loss,train_accuracy,dev_loss,dev_accuracy,learning_rate\n0,1,1,1,x,1\n",
        b"epoch,train_loss,train_accuracy,dev_loss,dev_accuracy,learning_rate\n0.5,1,1,1,1,1\n",
        b"\xff\xfe",
    ],
)
def test_another_table_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"history\.csv: expected the columns epoch, train_loss, "):
        history.read(path)


def test_a_missing_history_is_told_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"history\.csv: cannot be read \(No such file"):
        history.read(tmp_path / "history.csv")
