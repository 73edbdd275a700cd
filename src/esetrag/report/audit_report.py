"""The page about what is doubtful in a task's rows, for a reader who knows the language."""

from __future__ import annotations

from collections.abc import Sequence

from esetrag.core import files
from esetrag.core.layout import Layout
from esetrag.data.audit import noise, review
from esetrag.data.audit.audit import Audit
from esetrag.report import markdown

EXAMPLES, SHIFTS, SPELLINGS, LEMMAS = 20, 20, 20, 10
POLICIES = {
    "keep": "They were kept (`sample.suspicious: keep`).",
    "drop": "Rows with a suspicious label, and headings, were left out (`sample.suspicious: drop`).",
    "stop": "The stage stops where a label is suspicious or a form is a heading (`sample.suspicious: stop`).",
}


def write(layout: Layout, found: Audit, policy: str) -> None:
    """Writes figures, page and the list of suspicious rows.

    Args:
        layout: of the task.
        found: in its rows.
        policy: ``sample.suspicious``.
    """
    files.write_json(layout.metrics / "data_audit.json", found.figures())
    files.write_text(layout.metrics / "data_audit.md", page(layout.task, found, policy))
    files.write_text(layout.review, review.tsv(found.review))


def page(task: str, found: Audit, policy: str) -> str:
    """The audit as a page.

    Args:
        task: its name.
        found: in its rows.
        policy: what is done with suspicious rows.
    """
    figures = found.figures()
    suspicious = figures["suspicious"]
    kinds = [(kind, text, f"{suspicious[kind]:,}") for kind, text in review.KINDS.items()]
    text = [
        f"# Data audit of {task}\n",
        f"{found.rows:,} labelled rows were looked at; findings worth a second look: {len(found.review):,}. "
        f"{POLICIES[policy]}\n",
        markdown.table(("kind", "what it means", "findings"), kinds, "llr"),
        "\nAll of them, strongest evidence first, are in `review.tsv` beside this page: lemma, form, "
        "features, stated value, likelier value, probability of an error, evidence. Nothing but the table "
        "itself was consulted, so each is a question to someone who knows the language, not a verdict. "
        "What proves wrong is best mended at the source, in UniMorph or Wiktionary.",
        *_labels(found),
    ]
    for kind in (review.HEADING, review.CITED, review.SCRIPT, review.LEMMA):
        rows = [row for row in found.review if row[0] == kind]
        if rows:
            shown = [(row[1], f"**{row[2]}**", row[3], row[7]) for row in rows[:EXAMPLES]]
            text += [
                f"\n## {review.KINDS[kind].capitalize()}\n",
                f"{_of(shown, rows)}.\n",
                markdown.table(("lemma", "form", "features", "why"), shown, "llll"),
            ]
    return "\n".join([*text, *_spellings(found), *_paradigms(found), ""])


def _labels(found: Audit) -> list[str]:
    """The rows whose value is doubted, and what the errors have in common."""
    rows = [row for row in found.review if row[0] == review.LABEL]
    text = [
        "\n## Values that contradict the form\n",
        "A row's value is held against the rows of *other* lemmas that change their lemma in the same way. "
        f"It is suspicious if it is wrong with a probability of {noise.WRONG:.0%} or more and fewer than "
        f"{noise.UNSUPPORTED:.0%} of such rows bear it. That a form has several values is no fault by "
        f"itself; forms that bear more than one here: {found.ambiguous:,}.\n",
    ]
    if not rows:
        return [*text, "None was found."]
    shown = [(f"**{row[2]}**", row[1], row[3], row[4], row[5], row[6], row[7]) for row in rows[:EXAMPLES]]
    columns = ("form", "lemma", "features", "stated", "likelier", "probability", "evidence")
    text += [
        f"Suspicious rows: {len(rows):,}; lemmas that have any: {found.lemmas:,}. {_of(shown, rows)}.\n",
        markdown.table(columns, shown, "lllllrl"),
        "\n### Which value stands for which\n",
        "Where each value gives way to one other, a table was read a row off: every form has its "
        "neighbour's value.\n",
    ]
    shifts = list(found.shifts.items())
    pairs = [(likelier, stated, f"{count:,}") for (likelier, stated), count in shifts[:SHIFTS]]
    text += [f"{_of(pairs, shifts)}.\n", markdown.table(("likelier", "stated", "rows"), pairs, "llr")]
    if found.whole:
        text += [
            "\n### Paradigms out of step\n",
            f"Lemmas of which more than half of the rows are suspicious, {len(found.whole):,} in all: "
            f"{_names(found.whole)}. They are better mended whole than row by row.",
        ]
    return text


def _spellings(found: Audit) -> list[str]:
    title = "\n## Spellings of tags\n"
    if not found.drifts:
        return [title, "All tags are the schema's, and each bundle has one spelling."]
    rows = [
        (drift.kind, f"`{drift.found}`", f"`{drift.expected}`" if drift.expected else "",
         f"{drift.rows:,}", f"{drift.beside:,}")
        for drift in found.drifts[:SPELLINGS]
    ]  # fmt: skip
    return [
        title,
        "Of all bundles of the part of speech. Known other names are read as the schema's. "
        f"{_of(rows, found.drifts)}.\n",
        markdown.table(("kind", "found", "expected", "rows", "rows as expected"), rows, "lllrr"),
    ]


def _paradigms(found: Audit) -> list[str]:
    cells, figures = found.cells, found.figures()["paradigms"]
    text = [
        "\n## Incomplete paradigms\n",
        f"Lemmas: {len(cells.lemmas):,}, with {figures['smallest']} to {figures['largest']} bundles, "
        f"half of them with {figures['median']:g} or more.",
    ]
    if not cells.usual:
        return [*text, "No bundle stands at half of the lemmas: the table is a sample of cells."]
    lacking = cells.lacking
    text += [
        f"{len(cells.usual)} bundles stand at half of the lemmas or more; lemmas that lack one of these: "
        f"{len(lacking):,}.",
    ]
    if not len(lacking):
        return text
    missing = [
        (cell, f"{lemmas:,}")
        for cell, lemmas in sorted(figures["missing"].items(), key=lambda x: (-x[1], x[0]))
    ]
    few = [(f"**{cells.lemmas[lemma]}**", _names(cells.missing(lemma))) for lemma in lacking[:LEMMAS]]
    return [
        *text,
        "",
        markdown.table(("missing bundle", "lemmas"), missing[:SPELLINGS], "lr"),
        f"\nThose that lack fewest. {_of(few, lacking.tolist())}.\n",
        markdown.table(("lemma", "lacks"), few, "ll"),
    ]


def _of(shown: Sequence[object], every: Sequence[object]) -> str:
    return f"The first {len(shown):,} of {len(every):,}" if len(shown) < len(every) else "All of them"


def _names(names: list[str]) -> str:
    return ", ".join(names[:LEMMAS]) + (", …" if len(names) > LEMMAS else "")
