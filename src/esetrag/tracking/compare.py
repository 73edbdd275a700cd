"""Two runs of a task side by side: what differs, and how surely one is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from scipy.stats import binomtest

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.scoring import ratios
from esetrag.scoring.ratios import Interval, Ratio
from esetrag.tracking.common_test import common
from esetrag.tracking.run_state import ROW, State

LABELS = ("label_a", "label_b")
REPEAT = "repeat"
"""Which of the rows that agree in ``ROW`` one is: given parts are kept row by row."""
ROWS = 10
"""Lines of a table on a screen."""


def mcnemar(lost: int, gained: int) -> float:
    """Two-sided p of McNemar's exact test, from the rows on which only one of two models is correct.

    It takes rows as independent, which forms of one lemma are not; the interval of the gain does not.
    """
    return float(binomtest(gained, lost + gained).pvalue) if lost + gained else 1.0


@dataclass(frozen=True)
class Comparison:
    """B measured against A."""

    a: str
    b: str
    params: dict[str, tuple[Any, Any]]
    """Those that differ; None where a run has none of that name."""
    metrics: dict[str, tuple[float | None, float | None]]
    """Those that differ, each over all test rows of its run."""
    rows: tuple[int, int]
    """Test rows of each."""
    predicted_anew: bool
    """Whether both models predicted one test set, as those of the runs differ (``common_test``)."""
    shared: int
    """Rows compared: in both, under the same true label."""
    relabelled: list[dict[str, Any]]
    """Rows in both under another true label, ``label_a`` and ``label_b``; left out."""
    accuracy: tuple[float, float]
    """On the rows compared."""
    gain: Interval
    """Of B's accuracy over A's."""
    confidence: float
    """Of the interval of the gain."""
    p: float
    """Of McNemar's test."""
    lost: list[dict[str, Any]]
    """Rows on which A alone is correct; ``predicted`` is B's."""
    gained: list[dict[str, Any]]
    """Rows on which B alone is correct; ``predicted`` is A's."""


def compare(a: State, b: State, options: config.Evaluate) -> Comparison:
    """Measures B against A on the test rows that both have, or on those that neither was trained on.

    Raises:
        DataError: if they share no test row, or none with the same true label.
    """
    rows = (len(a.predictions), len(b.predictions))
    before = a
    a, b = common(a, b)
    numbered_a, numbered_b = _numbered(a.predictions), _numbered(b.predictions)
    pairs = numbered_a.merge(numbered_b, on=[*ROW, REPEAT], suffixes=("_a", "_b"), validate="one_to_one")
    if pairs.empty:
        raise DataError(
            f"{a.name} and {b.name} share no test row; expected runs of the same table, "
            f"sample.seed and sample.split, found {_sample(a)} and {_sample(b)}"
        )
    pairs = pairs.sort_values(ROW, ignore_index=True)
    same = pairs["label_a"] == pairs["label_b"]
    relabelled = _words(pairs[~same], *LABELS)
    pairs = pairs[same].rename(columns={"label_a": "label"})
    if pairs.empty:
        raise DataError(
            f"{a.name} and {b.name} share {len(relabelled):,} test rows, none with the same true label "
            f"({_relabelling(relabelled)}); compare runs that predict the same feature"
        )
    table = pa.Table.from_pandas(pairs, preserve_index=False)
    correct_a, correct_b = (label_sets.correct(table["label"], table[f"predicted_{side}"]) for side in "ab")
    lost, gained = pairs[correct_a & ~correct_b], pairs[~correct_a & correct_b]
    clusters = pairs["lemma"].fillna(pairs["form"]).to_numpy(object)  # a task may be without lemmas
    return Comparison(
        a=a.name,
        b=b.name,
        params=_differing(a.params, b.params),
        metrics=_differing(a.metrics, b.metrics),
        rows=rows,
        predicted_anew=a is not before,
        shared=len(pairs),
        relabelled=relabelled,
        accuracy=(float(correct_a.mean()), float(correct_b.mean())),
        gain=ratios.difference(Ratio.mean(correct_b), Ratio.mean(correct_a), clusters, options),
        confidence=options.confidence,
        p=mcnemar(len(lost), len(gained)),
        lost=_words(lost.rename(columns={"predicted_b": "predicted"}), "label", "predicted"),
        gained=_words(gained.rename(columns={"predicted_a": "predicted"}), "label", "predicted"),
    )


def sentence(result: Comparison) -> str:
    """Says who is better, by how much, and how surely."""
    net, rows = len(result.gained) - len(result.lost), f"{result.shared:,}"
    if not result.gained and not result.lost:
        correct = round(result.accuracy[1] * result.shared)
        return f"{result.b} and {result.a} are correct on the same {correct:,} of {rows} forms."
    more = f"{abs(net):,} {'more' if net > 0 else 'fewer'}" if net else "as many"
    low, value, high = (f"{100 * x:+.2f}" for x in (result.gain.low, result.gain.value, result.gain.high))
    p = f"p = {result.p:.3f}" if result.p >= 0.001 else "p < 0.001"
    doubt = "; not statistically significant" if result.gain.low <= 0 <= result.gain.high else ""
    than = "than" if net else "as"
    return (
        f"{result.b} is correct on {more} of {rows} forms {than} {result.a}: {value} points "
        f"({100 * result.confidence:g} % interval {low} to {high}), {p}{doubt}."
    )


def notices(result: Comparison) -> list[str]:
    """What one must know to understand the figures: rows that could not be compared."""
    lines = []
    both = result.shared + len(result.relabelled)
    if result.predicted_anew:
        lines.append(
            f"The test sets differ, so both models predicted the {both:,} rows of the larger one "
            "whose lemma neither knows from training."
        )
    elif result.rows != (both, both):
        lines.append(
            f"The test rows differ: {result.a} has {result.rows[0]:,}, {result.b} {result.rows[1]:,}, "
            f"both have {both:,}; only these are compared."
        )
    if result.relabelled:
        lines.append(
            f"{len(result.relabelled):,} rows that both have are labelled differently and left out: "
            f"{_relabelling(result.relabelled)}."
        )
    return lines


def content(result: Comparison) -> dict[str, Any]:
    """The whole comparison as JSON holds it."""
    return {**asdict(result), "notices": notices(result), "sentence": sentence(result)}


def text(result: Comparison, every: bool = False) -> str:
    """The comparison as a terminal shows it: the sentence, then what differs, ten rows a table or every."""
    names, most = (result.a, result.b), None if every else ROWS
    accuracy = ("accuracy", *(f"{value:.2%}" for value in result.accuracy), f"{100 * result.gain.value:+.2f}")
    figures = [(key, _value(a), _value(b), _change(a, b)) for key, (a, b) in result.metrics.items()]
    params = [(key, _value(a), _value(b)) for key, (a, b) in result.params.items()]
    blocks = ["\n".join([sentence(result), *notices(result)])]
    head = (f"on {result.shared:,} test rows", *names, "points")
    blocks.append(_table([head, accuracy], None))
    if params:
        blocks.append(_table([("parameters that differ", *names), *params], most))
    if figures:
        blocks.append(_table([("figures that differ", *names, "difference"), *figures], most))
    for better, worse, words in ((result.a, result.b, result.lost), (result.b, result.a, result.gained)):
        if words:
            rows = [(w["form"], w["label"], w["predicted"], w["features"] or "") for w in words]
            title = (f"{len(words):,} where {better} alone is correct", "label", worse, "features")
            blocks.append(_table([title, *rows], most, str.ljust))
    return "\n\n".join(blocks)


def _numbered(predictions: pa.Table) -> pd.DataFrame:
    """Rows sorted, those of the same word by their labels, with the number of each among its like."""
    rows: pd.DataFrame = predictions.to_pandas().sort_values(
        [*ROW, "label"], kind="stable", ignore_index=True
    )
    return rows.assign(**{REPEAT: rows.groupby(ROW, dropna=False).cumcount()})


def _differing(a: dict[str, Any], b: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values that are not the same in both, in the order of their names."""
    return {key: (a.get(key), b.get(key)) for key in sorted({*a, *b}) if a.get(key) != b.get(key)}


def _words(rows: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    names = (*ROW, *columns)
    kept = rows[[*names]].astype(object)
    return [dict(zip(names, row, strict=True)) for row in kept.where(kept.notna(), None).to_numpy()]


def _sample(state: State) -> str:
    names = ("task.raw", "sample.seed", "sample.split")
    return " ".join(f"{name}={state.params.get(name)}" for name in names)


def _relabelling(rows: list[dict[str, Any]]) -> str:
    return f"{rows[0]['form']} is {rows[0]['label_a']} in the one, {rows[0]['label_b']} in the other"


def _value(value: Any) -> str:
    """A parameter or figure as YAML would write it, shares to four places."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _change(a: float | None, b: float | None) -> str:
    return "" if a is None or b is None else f"{b - a:+.2g}"


def _table(
    rows: Sequence[Sequence[str]], most: int | None, justify: Callable[[str, int], str] = str.rjust
) -> str:
    """A heading and rows in columns of one width each; no more rows than wanted."""
    kept = rows if most is None else rows[: most + 1]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    lines = [
        "  ".join([first.ljust(widths[0]), *map(justify, others, widths[1:])]).rstrip()
        for first, *others in kept
    ]
    rest = len(rows) - len(kept)
    return "\n".join([*lines, *([f"and {rest:,} more: --all"] if rest else [])])
