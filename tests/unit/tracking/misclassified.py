"""Predictions of which some are wrong, for runs to be compared by."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

FORMS, LEMMAS = 5, 40


def misread(wrong: Collection[int], rows: range = range(FORMS * LEMMAS)) -> pa.Table:
    """Test rows, those of some numbers read wrong."""
    return pa.table(
        {
            "lemma": [f"l{i // FORMS:02}" for i in rows],
            "form": [f"l{i // FORMS:02}x{i % FORMS}" for i in rows],
            "features": [f"N;C{i % FORMS}" for i in rows],
            "label": [f"C{i % FORMS}" for i in rows],
            "predicted": [f"C{(i + (i in wrong)) % FORMS}" for i in rows],
        }
    )
