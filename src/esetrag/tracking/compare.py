"""Two runs of a task side by side: what differs, and how surely one reads better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from scipy.stats import binom, binomtest

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.scoring import ratios
from esetrag.scoring.ratios import Interval, Ratio
from esetrag.tracking.run_state import State

ROW = ["lemma", "form", "features"]
"""What makes a test row of two runs the same one."""
LABELS = ("label_a", "label_b")


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two readers on the same rows, from those that only one of them reads right.

    Both values are two-sided and take the rows as independent, which forms of one lemma are not;
    the interval of the gain does not (exact binomial, and its mid-p version after Fagerland,
    Lydersen and Laake 2013, which is less conservative).
    """

    p: float
    mid_p: float

    @classmethod
    def of_counts(cls, lost: int, gained: int) -> McNemar:
        """The test of two counts of rows: right in A alone, right in B alone."""
        count = lost + gained
        if not count:
            return cls(1.0, 1.0)
        p = float(binomtest(gained, count).pvalue)
        observed = float(binom.pmf(gained, count, 0.5)) * (0.5 if lost == gained else 1)
        return cls(p, p - observed)


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
    shared: int
    """Rows compared: in both, under the same true label."""
    relabelled: list[dict[str, str]]
    """Rows in both under another true label, ``label_a`` and ``label_b``; left out."""
    accuracy: tuple[float, float]
    """On the rows compared."""
    gain: Interval
    """Of B's accuracy over A's."""
    confidence: float
    """Of the interval of the gain."""
    mcnemar: McNemar
    lost: list[dict[str, str]]
    """Rows that A alone reads right; ``predicted`` is what B reads."""
    gained: list[dict[str, str]]
    """Rows that B alone reads right; ``predicted`` is what A reads."""


def compare(a: State, b: State, how: config.Evaluate) -> Comparison:
    """Compares two states on the test rows that both have.

    Args:
        a: the one compared against.
        b: the one in question.
        how: seed, resamples and confidence of the interval.

    Raises:
        DataError: if they share no test row, or none with the same true label.
    """
    pairs = a.predictions.to_pandas().merge(
        b.predictions.to_pandas(), on=ROW, suffixes=("_a", "_b"), validate="one_to_one"
    )
    if pairs.empty:
        raise DataError(
            f"{a.name} and {b.name} share no test row; expected runs of the same table, "
            f"sample.seed and sample.split, found {_sample(a)} and {_sample(b)}"
        )
    pairs = pairs.sort_values(ROW, ignore_index=True)
    same = pairs["label_a"] == pairs["label_b"]
    relabelled = pairs[~same]
    pairs = pairs[same].rename(columns={"label_a": "label"})
    if pairs.empty:
        raise DataError(
            f"{a.name} and {b.name} share {len(relabelled):,} test rows, none with the same true label "
            f"({_relabelling(_words(relabelled, *LABELS))}); compare runs that read the same feature"
        )
    rows = pa.Table.from_pandas(pairs, preserve_index=False)
    right_a, right_b = (label_sets.correct(rows["label"], rows[f"predicted_{side}"]) for side in "ab")
    lost, gained = pairs[right_a & ~right_b], pairs[~right_a & right_b]
    return Comparison(
        a=a.name,
        b=b.name,
        params=_differing(a.params, b.params),
        metrics=_differing(a.metrics, b.metrics),
        rows=(len(a.predictions), len(b.predictions)),
        shared=len(pairs),
        relabelled=_words(relabelled, *LABELS),
        accuracy=(float(right_a.mean()), float(right_b.mean())),
        gain=ratios.difference(
            Ratio.mean(right_b), Ratio.mean(right_a), pairs["lemma"].to_numpy(object), how
        ),
        confidence=how.confidence,
        mcnemar=McNemar.of_counts(len(lost), len(gained)),
        lost=_words(lost.rename(columns={"predicted_b": "predicted"}), "label", "predicted"),
        gained=_words(gained.rename(columns={"predicted_a": "predicted"}), "label", "predicted"),
    )


def sentence(found: Comparison) -> str:
    """Says how much better B reads, and how surely."""
    net, rows = len(found.gained) - len(found.lost), f"{found.shared:,}"
    if not found.gained and not found.lost:
        right = round(found.accuracy[1] * found.shared)
        return f"{found.b} and {found.a} read the same {right:,} of {rows} forms right."
    many = "as many" if not net else f"{abs(net):,} {'more' if net > 0 else 'fewer'}"
    low, value, high = (f"{100 * x:+.2f}" for x in (found.gain.low, found.gain.value, found.gain.high))
    p = f"p = {found.mcnemar.p:.3f}" if found.mcnemar.p >= 0.001 else "p < 0.001"
    doubt = "; this may be chance" if found.gain.low <= 0 <= found.gain.high else ""
    return (
        f"{found.b} reads {many} of {rows} forms right {'than' if net else 'as'} {found.a}: {value} points "
        f"({100 * found.confidence:g} % interval {low} to {high}), {p}{doubt}."
    )


def notices(found: Comparison) -> list[str]:
    """What a reader of the figures must know: rows that could not be compared."""
    said = []
    both = found.shared + len(found.relabelled)
    if found.rows != (both, both):
        said.append(
            f"The test rows differ: {found.a} has {found.rows[0]:,}, {found.b} {found.rows[1]:,}, "
            f"both have {both:,}; only these are compared."
        )
    if found.relabelled:
        said.append(
            f"{len(found.relabelled):,} rows that both have bear other true labels in each and are left out: "
            f"{_relabelling(found.relabelled)}."
        )
    return said


def content(found: Comparison) -> dict[str, Any]:
    """The whole comparison as JSON holds it."""
    return {**asdict(found), "notices": notices(found), "sentence": sentence(found)}


def text(found: Comparison, examples: int) -> str:
    """The comparison as a terminal shows it.

    Args:
        found: the comparison.
        examples: words shown of each list.
    """
    names, blocks = (found.a, found.b), []
    if found.params:
        given = [(key, _value(a), _value(b)) for key, (a, b) in found.params.items()]
        blocks.append(_aligned([("parameters that differ", *names), *given]))
    if found.metrics:
        figures = [(key, _value(a), _value(b), _change(a, b)) for key, (a, b) in found.metrics.items()]
        blocks.append(_aligned([("figures that differ", *names, "difference"), *figures]))
    for right, wrong, words in ((found.a, found.b, found.lost), (found.b, found.a, found.gained)):
        if words:
            forms = "1 form" if len(words) == 1 else f"{len(words):,} forms"
            title = f"{forms} that {right} reads right and {wrong} wrong"
            blocks.append("\n".join([title, *_examples(words, examples)]))
    test = found.mcnemar
    blocks.append(
        f"accuracy on {found.shared:,} test rows: {found.a} {found.accuracy[0]:.2%}, "
        f"{found.b} {found.accuracy[1]:.2%}\n"
        f"McNemar's test, as if forms were independent: p = {test.p:.2g}, mid-p = {test.mid_p:.2g}"
    )
    return "\n\n".join([*blocks, *notices(found), sentence(found)])


def _differing(a: dict[str, Any], b: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values that are not the same in both, in the order of their names."""
    return {key: (a.get(key), b.get(key)) for key in sorted({*a, *b}) if a.get(key) != b.get(key)}


def _words(rows: pd.DataFrame, *columns: str) -> list[dict[str, str]]:
    return [dict(zip((*ROW, *columns), row, strict=True)) for row in rows[[*ROW, *columns]].to_numpy(object)]


def _sample(state: State) -> str:
    given = {name: state.params.get(name) for name in ("task.raw", "sample.seed", "sample.split")}
    return " ".join(f"{name}={value}" for name, value in given.items())


def _relabelling(rows: list[dict[str, str]]) -> str:
    return f"{rows[0]['form']} is {rows[0]['label_a']} in the one, {rows[0]['label_b']} in the other"


def _examples(words: list[dict[str, str]], most: int) -> list[str]:
    rows = [
        (f"  {word['form']}", f"{word['label']} read as {word['predicted']}", word["features"])
        for word in words[:most]
    ]
    lines = _aligned(rows, right=False).splitlines()
    return (
        [*lines, f"  and {len(words) - most:,} more: --examples, --format json"]
        if len(words) > most
        else lines
    )


def _value(value: Any) -> str:
    """A parameter or figure as YAML would write it, shares to four places."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _change(a: float | None, b: float | None) -> str:
    if a is None or b is None:
        return ""
    return f"{b - a:+.2g}" if isinstance(b - a, float) else f"{b - a:+}"


def _aligned(rows: Sequence[Sequence[str]], right: bool = True) -> str:
    """Columns of one width each, all but the first flush right if wanted."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [x.rjust(n) if right else x.ljust(n) for x, n in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
