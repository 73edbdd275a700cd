"""In what way words are segmented wrongly."""

from __future__ import annotations

from itertools import takewhile

import pandas as pd
import pyarrow as pa

from esetrag.analysis.transduce_errors import ErrorKinds
from esetrag.data import label_sets, segments
from esetrag.symbols.vocabulary import Vocabulary

KINDS = {
    "unknown tag": "needs a tag that no training word has",
    "wrong label": "has the right segments under other names",
    "too many boundaries": "has more segments than in the table",
    "too few boundaries": "has fewer segments than in the table",
    "boundary shifted": "has as many segments, with a boundary elsewhere",
    "wrong letters": "has as many segments, one of which is restored wrongly",
}
"""Kind and what is true of its words; an error is of the first kind that fits."""


def kinds(errors: pd.DataFrame, vocabulary: Vocabulary) -> list[str]:
    """The kind of each error, keys of ``KINDS``, against the first right segmentation."""
    true = [_first(label) for label in errors["label"]]
    forms, wanted = (pa.chunked_array([pa.array(column, pa.string())]) for column in (errors["form"], true))
    tags, counts = segments.tags(forms, wanted)
    known, place, result = {*vocabulary.labels}, 0, []
    listed = tags.to_pylist()
    for label, predicted, count in zip(true, errors["predicted"], counts.tolist(), strict=True):
        own, place = listed[place : place + count], place + count
        a, b = segments.shown(label), segments.shown(predicted)
        more = b.count(segments.BOUNDARY) - a.count(segments.BOUNDARY)
        tests = {
            "unknown tag": not known.issuperset(own),
            "wrong label": a == b,
            "too many boundaries": more > 0,
            "too few boundaries": more < 0,
            "boundary shifted": a.replace(segments.BOUNDARY, "") == b.replace(segments.BOUNDARY, ""),
        }
        result.append(next((kind for kind, fits in tests.items() if fits), "wrong letters"))
    return result


def differences(errors: pd.DataFrame) -> pd.DataFrame:
    """The segments that differ, without those at both ends that are the same: ``label``, ``predicted``."""
    pairs = [_different(_first(a), b) for a, b in zip(errors["label"], errors["predicted"], strict=True)]
    return pd.DataFrame(pairs, columns=["label", "predicted"])


def _different(label: str, predicted: str) -> tuple[str, str]:
    a, b = (text.split(segments.BOUNDARY) for text in (label, predicted))
    front = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    a, b = a[front:], b[front:]
    back = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a[::-1], b[::-1], strict=False)))
    own, other = (segments.BOUNDARY.join(parts[: len(parts) - back]) for parts in (a, b))
    return own, other


def _first(label: str) -> str:
    return label_sets.values(label)[0]


TAGGING = ErrorKinds(KINDS, kinds, differences)
