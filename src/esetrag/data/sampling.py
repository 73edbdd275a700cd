"""Splits rows so that no lemma, family or form is in two parts, and draws samples of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS
from esetrag.data import label_sets
from esetrag.data.families import Families, heads_of

SHARES = (0.8, 0.1, 0.1)
NOTEBOOK_SPLIT_SEED, NOTEBOOK_SAMPLE_SEED = 12, 1


def split(table: pa.Table, sample: config.Sample, cell: Sequence[str] = ("form",)) -> dict[str, pa.Table]:
    """Divides rows by lemma, family or form, 80/10/10, so that none is in two parts.

    Rows are sorted, then the lemmas (families, forms) shuffled by the seed: the order of ``table``
    is without influence. ``split: notebook`` does what the lecture notebook did: the lemmas in the
    order of their first appearance, shuffled by numpy's legacy generator with seed 12.

    Args:
        table: labelled rows (``tables.LABELLED``).
        sample: ``split`` and ``seed`` are used.
        cell: the columns of which rows that agree become one (``label_sets.of_forms``).

    Returns:
        All forms of ``train``, ``dev`` and ``test``, each once with all its values (``tables.SAMPLE``); of
        the notebook's split the rows (``tables.LABELLED``), of which it drew.

    Raises:
        DataError: if there are fewer than three lemmas (families, forms).
    """
    if sample.split != "notebook":
        table = table.sort_by([(name, "ascending") for name in tables.LABELLED.names])
    units = pc.dictionary_encode(_units(table, sample.split)).combine_chunks()  # ids by first appearance
    count = len(units.dictionary)
    if count < len(PARTS):
        what = {"family": "families of lemmas", "form": "form(s)"}.get(sample.split, "lemma(s)")
        raise DataError(f"{count} {what} cannot be split into {', '.join(PARTS)}: three are the least")
    if sample.split != "notebook":
        order = np.random.default_rng([sample.seed, 0]).permutation(count)
    else:
        order = np.arange(count)
        np.random.RandomState(NOTEBOOK_SPLIT_SEED).shuffle(order)
    held_out = max(1, int(count * SHARES[1]))
    part_of_unit = np.empty(count, dtype=np.int8)
    part_of_unit[order] = np.repeat([0, 1, 2], [count - 2 * held_out, held_out, held_out])
    part_of_row = part_of_unit[units.indices.to_numpy()]
    parts = {part: table.take(np.flatnonzero(part_of_row == i)) for i, part in enumerate(PARTS)}
    if sample.split == "notebook":
        return parts
    return {part: label_sets.of_forms(rows, cell) for part, rows in parts.items()}


def _units(table: pa.Table, split: str) -> pa.ChunkedArray:
    """What must not be in two parts, of each row."""
    if split == "family":
        return heads_of(table["lemma"], Families.of(table).table)
    return table["form" if split == "form" else "lemma"]


def draw(
    parts: dict[str, pa.Table], sample: config.Sample, cell: Sequence[str] = ("form",)
) -> dict[str, pa.Table]:
    """Draws as many forms of each part as wanted, or all there are; as the notebook did, rows.

    Args:
        parts: the result of ``split``.
        sample: sizes (None: all), ``split`` and ``seed``. Of one seed, a larger sample holds
            the smaller one.
        cell: as of ``split``, for the notebook's rows; with none they stay apart.

    Returns:
        The forms drawn, each once with all its values (``tables.SAMPLE``).
    """
    drawn = {}
    for number, part in enumerate(PARTS, start=1):
        size, rows = getattr(sample, part), len(parts[part])
        if size is None or size >= rows:
            drawn[part] = parts[part]
        elif sample.split != "notebook":
            order = np.random.default_rng([sample.seed, number]).permutation(rows)
            drawn[part] = parts[part].take(np.sort(order[:size]))
        else:
            drawn[part] = parts[part].take(_as_pandas_draws(rows, size))
    if sample.split == "notebook":
        merged = partial(label_sets.of_forms, cell=cell) if cell else label_sets.weighted
        return {part: merged(rows) for part, rows in drawn.items()}
    return drawn


def _as_pandas_draws(rows: int, size: int) -> npt.NDArray[np.int64]:
    import pandas as pd  # only the notebook's split pays for the import

    return pd.Series(np.arange(rows)).sample(size, random_state=NOTEBOOK_SAMPLE_SEED).to_numpy()
