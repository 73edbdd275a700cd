from __future__ import annotations

import numpy as np
import torch

from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from tests.samples import CPU


def test_rows_become_tensors_of_the_same_values(tiny_encoded: Encoded) -> None:
    batch = Batch.of(tiny_encoded, CPU)
    assert batch.source.ids.tolist() == tiny_encoded.ids.tolist()
    assert batch.source.lengths.tolist() == tiny_encoded.lengths.tolist()
    assert batch.target.tolist() == tiny_encoded.targets.tolist()
    assert batch.weight.tolist() == tiny_encoded.weights.tolist()
    assert len(batch) == len(tiny_encoded)


def test_ids_of_two_bytes_become_numbers_that_torch_has() -> None:
    ids = np.array([[1, 300, 2]], "<u2")
    batch = Batch.of(Encoded.unlabelled(ids, np.array([3], np.uint16), 4), CPU)
    assert batch.source.ids.tolist() == [[1, 300, 2]]
    assert batch.target.tolist() == [[False] * 4]
    assert batch.weight.tolist() == [1.0]


def test_rows_taken_out_are_as_wide_as_the_longest_of_them(tiny_encoded: Encoded) -> None:
    rows = [5, 0, 3]
    batch = Batch.of(tiny_encoded, CPU)[torch.tensor(rows)]
    width = max(tiny_encoded.lengths[rows])
    assert batch.source.ids.tolist() == tiny_encoded.ids[rows, :width].tolist()
    assert batch.source.lengths.tolist() == tiny_encoded.lengths[rows].tolist()
    assert batch.target.tolist() == tiny_encoded.targets[rows].tolist()
