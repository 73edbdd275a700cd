"""The true values of a form: one or several, written with ``/`` between them as UniMorph does (``ACC/NOM``).

German *Haus* is nominative, dative and accusative. A classifier of the form alone cannot tell which, so
the label of a form is a set. A value that itself holds ``/`` (free text) is escaped within a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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
    """The values of a label, the inverse of ``join``.

    >>> values("ACC/NOM"), values("km%2Fh/mph")
    (('ACC', 'NOM'), ('km/h', 'mph'))
    """
    if "%2" not in label:
        return tuple(label.split(CHOICE))
    return tuple(part.replace("%2F", CHOICE).replace("%252", "%2") for part in label.split(CHOICE))


def join(parts: Iterable[str]) -> str:
    """The label of some values: sorted, each once; ``/`` within a value becomes ``%2F``.

    >>> join(["NOM", "ACC", "NOM"]), join(["mph", "km/h"])
    ('ACC/NOM', 'km%2Fh/mph')
    """
    return CHOICE.join(sorted({part.replace("%2", "%252").replace(CHOICE, "%2F") for part in parts}))


def escaped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Labels of one value each, (n,)."""
    return _distinct(texts, lambda text: join([text]))


def first(labels: pa.ChunkedArray) -> pa.ChunkedArray:
    """The first value of each label, (n,)."""
    return _distinct(labels, lambda label: values(label)[0])


def _distinct(texts: pa.ChunkedArray, changed: Callable[[str], str]) -> pa.ChunkedArray:
    """Each text changed; one that stands again is changed once."""
    encoded = texts.combine_chunks().dictionary_encode()
    made = pa.array(map(changed, encoded.dictionary.to_pylist()), pa.string())
    return pa.chunked_array([made.take(encoded.indices)])


def names(labels: pa.ChunkedArray) -> list[str]:
    """All values of the labels, sorted."""
    return sorted({value for label in pc.unique(labels).to_pylist() for value in values(label)})


def matrix(labels: pa.ChunkedArray, known: Sequence[str]) -> Bools:
    """Which of the known values each label has, (n, values)."""
    encoded = labels.combine_chunks().dictionary_encode()
    place = {value: column for column, value in enumerate(known)}
    distinct = np.zeros((len(encoded.dictionary), len(known)), dtype=bool)
    for row, label in enumerate(encoded.dictionary.to_pylist()):
        distinct[row, [place[value] for value in values(label) if value in place]] = True
    rows: Bools = distinct[encoded.indices.to_numpy()]
    return rows


def labels(chosen: Bools, known: Sequence[str]) -> list[str]:
    """The label of each row of a matrix (n, values), the inverse of ``matrix``."""
    packed = np.packbits(chosen, axis=1)  # (n, values / 8)
    keys = packed.view(f"S{packed.shape[1]}")[:, 0].tolist()
    row_of = dict(zip(keys, range(len(keys)), strict=True))
    texts = {key: join(known[i] for i in np.flatnonzero(chosen[row]).tolist()) for key, row in row_of.items()}
    return [texts[key] for key in keys]


def correct(label: pa.ChunkedArray, predicted: pa.ChunkedArray) -> Bools:
    """Whether each predicted value is one of the true ones, (n,).

    Args:
        label: (n,) true labels, of one value or several.
        predicted: (n,) values.
    """
    distinct = predicted.combine_chunks().dictionary_encode()
    true = matrix(label, distinct.dictionary.to_pylist())
    hits: Bools = true[np.arange(len(true)), distinct.indices.to_numpy()]
    return hits


def beside(label: pa.ChunkedArray, predicted: pa.ChunkedArray) -> pa.ChunkedArray:
    """A true value of each form: the predicted one if it is true, else the first.

    Args:
        label: (n,) true labels, of one value or several.
        predicted: (n,) values.
    """
    return pc.if_else(pa.array(correct(label, predicted)), predicted, first(label))


def of_forms(rows: pa.Table, cell: Sequence[str] = ("form",)) -> pa.Table:
    """Rows with each form once, with all its values.

    Args:
        rows: ``tables.LABELLED``.
        cell: the columns of which rows that agree become one.

    Returns:
        ``tables.SAMPLE``, in the order in which the forms come first: the first of a form's lemmas by code
        point, its bundles joined by ``BUNDLES``, its values by ``CHOICE``, the sum of its weights.
    """
    asked = pc.binary_join_element_wise(*(rows[name] for name in cell), "\t")
    form = asked.combine_chunks().dictionary_encode().indices.to_numpy()
    several = np.bincount(form)[form] > 1
    if not several.any():
        return weighted(rows)
    # Forms that stand once need nothing; in many languages that is nearly all of them.
    numbered = rows.append_column("row", pa.array(np.arange(len(rows))))
    once, more = numbered.filter(pa.array(~several)), numbered.filter(pa.array(several))
    more = more.sort_by([(name, "ascending") for name in ("form", "label", "features", "lemma")])
    groups = more.append_column("bundle", more["features"]).group_by(
        ["form", *(["bundle"] if "features" in cell else [])], use_threads=False
    )
    sums = [("lemma", "min"), ("features", "list"), ("label", "list"), ("weight", "sum"), ("row", "min")]
    groups = groups.aggregate(sums)
    merged = {
        "lemma": groups["lemma_min"],
        "form": groups["form"],
        "features": _joined(groups["features_list"], BUNDLES),
        "label": _joined(groups["label_list"], CHOICE),
        "weight": groups["weight_sum"],
        "row": groups["row_min"],
    }
    together = pa.concat_tables([once, pa.table(merged).cast(once.schema)]).sort_by("row")
    return weighted(together.drop_columns("row"))


def weighted(rows: pa.Table) -> pa.Table:
    """Rows (``tables.LABELLED``) as ``tables.SAMPLE``: a weight that is not set is 1."""
    place = rows.column_names.index("weight")
    return rows.set_column(place, "weight", pc.fill_null(rows["weight"], 1)).cast(tables.SAMPLE)


def _joined(lists: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Each list as one text, its parts sorted and each once; null if it holds a null."""
    texts = pc.binary_join(lists, separator)
    return _distinct(texts, lambda text: separator.join(sorted(set(text.split(separator)))))
