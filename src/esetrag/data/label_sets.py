"""What is true of a form: the values it bears, one or several, as UniMorph writes a choice (``ACC/NOM``).

German *Haus* is nominative, dative and accusative. A reader of the form alone cannot tell which, so
the truth about a form is a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables

CHOICE = "/"
"""Between the values of a label."""
BUNDLES = " | "
"""Between the bundles of a form."""

Bools = npt.NDArray[np.bool_]


def values(label: str) -> tuple[str, ...]:
    """The values of a label.

    >>> values("ACC/NOM")
    ('ACC', 'NOM')
    """
    return tuple(label.split(CHOICE))


def join(some: Iterable[str]) -> str:
    """The label of some values: sorted, each once."""
    return CHOICE.join(sorted(set(some)))


def names(labels: pa.ChunkedArray) -> list[str]:
    """All values that some labels have, sorted."""
    return sorted({value for label in pc.unique(labels).to_pylist() for value in values(label)})


def matrix(labels: pa.ChunkedArray, known: Sequence[str]) -> Bools:
    """Which values each label has.

    Args:
        labels: (n,) labels.
        known: names of the columns; other values have none.

    Returns:
        (n, values).
    """
    encoded = labels.combine_chunks().dictionary_encode()
    place = {value: column for column, value in enumerate(known)}
    distinct = np.zeros((len(encoded.dictionary), len(known)), dtype=bool)
    for row, label in enumerate(encoded.dictionary.to_pylist()):
        distinct[row, [place[value] for value in values(label) if value in place]] = True
    rows: Bools = distinct[encoded.indices.to_numpy()]
    return rows


def labels(chosen: Bools, known: Sequence[str]) -> list[str]:
    """The label of each row of a matrix, the inverse of ``matrix``.

    Args:
        chosen: (n, values).
        known: names of the columns, sorted.
    """
    packed = np.packbits(chosen, axis=1)  # (n, values / 8)
    keys = packed.view(f"S{packed.shape[1]}")[:, 0].tolist()
    row_of = dict(zip(keys, range(len(keys)), strict=True))
    texts = {
        key: join(known[int(column)] for column in np.flatnonzero(chosen[row])) for key, row in row_of.items()
    }
    return [texts[key] for key in keys]


def correct(label: pa.ChunkedArray, predicted: pa.ChunkedArray) -> Bools:
    """Whether each prediction is one of the form's true values.

    Args:
        label: (n,) true labels, of one value or several.
        predicted: (n,) values.
    """
    distinct = predicted.combine_chunks().dictionary_encode()
    true = matrix(label, distinct.dictionary.to_pylist())
    hits: Bools = true[np.arange(len(true)), distinct.indices.to_numpy()]
    return hits


def beside(label: pa.ChunkedArray, predicted: pa.ChunkedArray) -> pa.ChunkedArray:
    """A true value of each form to stand beside the prediction: the same if it is true, else the first.

    Args:
        label: (n,) true labels, of one value or several.
        predicted: (n,) values.
    """
    encoded = label.combine_chunks().dictionary_encode()
    first = pa.array([values(text)[0] for text in encoded.dictionary.to_pylist()], pa.string())
    own = pa.array(correct(label, predicted))
    return pa.chunked_array([pc.if_else(own, predicted.combine_chunks(), first.take(encoded.indices))])


def of_forms(rows: pa.Table) -> pa.Table:
    """One row a form, with all the values it bears.

    Args:
        rows: one row for each lemma, form and bundle (``tables.ROWS``).

    Returns:
        ``tables.SAMPLE``, in the order in which the forms come first: the first of a form's lemmas
        by code point, its bundles joined by ``BUNDLES``, its values by ``CHOICE``.
    """
    form = rows["form"].combine_chunks().dictionary_encode().indices.to_numpy()
    times = np.bincount(form)
    several = times[form] > 1
    if not several.any():
        return _weighted(rows)
    # Forms that stand once need nothing; in many languages that is nearly all of them.
    numbered = rows.append_column("row", pa.array(np.arange(len(rows))))
    once, more = numbered.filter(pa.array(~several)), numbered.filter(pa.array(several))
    more = more.sort_by([(name, "ascending") for name in ("form", "label", "features", "lemma")])
    groups = more.group_by("form", use_threads=False).aggregate(
        [("lemma", "min"), ("features", "list"), ("label", "list"), ("row", "min")]
    )
    joined = {
        "lemma": groups["lemma_min"],
        "form": groups["form"],
        "features": _joined(groups["features_list"], BUNDLES),
        "label": _joined(groups["label_list"], CHOICE),
        "row": groups["row_min"],
    }
    together = pa.concat_tables([once, pa.table(joined).cast(once.schema)]).sort_by("row")
    return _weighted(together.drop_columns("row"))


def _weighted(rows: pa.Table) -> pa.Table:
    return rows.append_column("weight", pa.array(np.ones(len(rows), np.float32))).cast(tables.SAMPLE)


def _joined(lists: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Each list as one text: its parts sorted, each once."""
    texts = pc.dictionary_encode(pc.binary_join(lists, separator)).combine_chunks()
    canonical = [separator.join(sorted(set(text.split(separator)))) for text in texts.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(canonical, pa.string()).take(texts.indices)])
