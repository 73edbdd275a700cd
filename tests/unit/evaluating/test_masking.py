from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from esetrag.evaluating import masking
from esetrag.learning import training
from esetrag.project import params
from esetrag.reading.network import Network
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocab import Vocabulary

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def network(
    given: params.Params, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, tiny_model: params.Model
) -> Network:
    """The notebook's network, after it has learnt the tiny rows."""
    how = given.train.model_copy(
        update={"device": "cpu", "epochs": 16, "learning_rate": 0.03, "batch_size": 8}
    )
    return training.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, tiny_model, how).network


def test_with_all_symbols_every_form_is_read_and_with_none_hardly_any(
    network: Network, tiny_encoded: Encoded
) -> None:
    found = masking.curve(network, tiny_encoded, 1)
    assert found["symbols"].tolist() == list(range(9))
    assert (found["forms"] == 84).all()
    assert found["without_last"].iloc[0] > 0.95, "nothing is hidden"
    assert found["only_last"].iloc[0] < 0.5, "everything is"
    # The suffixes of the tiny rows have three symbols at most, the stems three or more.
    assert found["without_last"].iloc[3] < 0.5
    assert found["only_last"].iloc[4] > 0.8
    assert found["only_last"].iloc[8] >= found["only_last"].iloc[1]


def test_of_many_rows_a_sample_is_drawn_that_does_not_change(
    network: Network, tiny_encoded: Encoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "ROWS", 40)
    found = masking.curve(network, tiny_encoded, 1)
    assert (found["forms"] == 40).all()
    assert found.equals(masking.curve(network, tiny_encoded, 1))


def test_any_of_several_right_labels_counts(network: Network, tiny_encoded: Encoded) -> None:
    all_right = replace(tiny_encoded, targets=np.ones((84, 7), dtype=bool))
    found = masking.curve(network, all_right, 1)
    assert (found[["without_last", "only_last"]] == 1).all(axis=None)
