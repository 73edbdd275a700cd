from __future__ import annotations

import pyarrow as pa
import pytest

from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary


@pytest.fixture
def train(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    return encoding.encode_rows(tiny_rows.slice(0, 70), tiny_vocabulary, 10, "end")


@pytest.fixture
def dev(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    return encoding.encode_rows(tiny_rows.slice(70), tiny_vocabulary, 10, "end")
