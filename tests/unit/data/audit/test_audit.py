from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data.audit import audit, review
from esetrag.data.audit.audit import Audit
from esetrag.data.selection import COLUMNS, Selection, select

TASK = config.UnimorphTask(kind="classify", raw="hun.tsv", model="bilstm", pos="N", feature="Case")
CASES = {"NOM": "", "ACC": "t", "DAT": "nak", "INST": "val", "TERM": "ig"}
STEMS = [a + b + c for a in "bdfgkl" for b in "aou" for c in ("r", "l", "sz")]
Row = tuple[str, str, str]
GOOD = [(stem, stem + ending, f"N;{case};SG") for stem in STEMS for case, ending in CASES.items()]
ODD = [
    ("gyár", "gyárt", "N;DAT;SG"),
    ("gyár", "gyárnak", "N;INST;SG"),
    ("gyár", "gyárval", "N;TERM;SG"),
    ("bar", "singular", "N;NOM;SG"),
    *((stem, "n/e", "N;ACC;SG") for stem in STEMS[:6]),
    ("tеmér", "tеmér", "N;NOM;SG"),  # a Cyrillic е
    ("gyalogok", "gyalog", "N;NOM;SG"),
    ("bart", "bart", "N;NOM;SG"),
    ("lul", "lulul", "N;LGSPEC2"),
    ("lul", "lull", "V;ACC;singular"),
    ("run", "plural", "V;PST"),
]


def examined(rows: list[Row]) -> tuple[Selection, Audit]:
    raw = pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
    selection = select(raw, Path("hun.tsv"), "N", "Case")
    return selection, audit.examine(selection, TASK)


@pytest.fixture(scope="module")
def odd() -> tuple[Selection, Audit]:
    return examined([*GOOD, *ODD])


def of_kind(found: Audit, kind: str) -> list[tuple[str, ...]]:
    return [row[1:] for row in found.review if row[0] == kind]


@pytest.mark.parametrize(("good", "whole"), [(1, 1), (2, 0)])
def test_a_paradigm_is_doubted_as_a_whole_if_more_than_half_of_it_is(good: int, whole: int) -> None:
    doubtful = [("gyár", "gyárt", "N;DAT;SG"), ("gyár", "gyárnak", "N;INST;SG")]
    usual = [("gyár", "gyár", "N;NOM;SG"), ("gyár", "gyárig", "N;TERM;SG")]
    labels = examined([*GOOD, *doubtful, *usual[:good]])[1].figures["labels"]
    assert (labels["lemmas"], labels["whole_paradigms"]) == (1, whole)


def test_a_clean_table_has_no_findings() -> None:
    _, found = examined(GOOD)
    assert found.review == []
    assert found.figures["suspicious"] == dict.fromkeys(review.KINDS, 0)
    assert not found.labels.any()
    assert found.figures["paradigms"]["lacking_some"] == 0


def test_values_of_the_neighbours_are_found(odd: tuple[Selection, Audit]) -> None:
    rows = of_kind(odd[1], review.LABEL)
    assert sorted((row[1], row[3], row[4]) for row in rows) == [
        ("gyárnak", "INS", "DAT"),
        ("gyárt", "DAT", "ACC"),
        ("gyárval", "TERM", "INS"),
    ]
    row = next(row for row in rows if row[1] == "gyárt")
    assert row[:3] == ("gyár", "gyárt", "N;DAT;SG")
    assert float(row[5]) >= 0.9
    alike = sum(stem.endswith("r") for stem in STEMS)
    assert row[6] == f"+t at other lemmas: {alike} rows, {alike} ACC, 0 DAT"
    figures = odd[1].figures["labels"]
    assert (figures["lemmas"], figures["whole_paradigms"]) == (1, 1)
    assert figures["shifts"] == [["ACC", "DAT", 1], ["DAT", "INS", 1], ["INS", "TERM", 1]]


def test_headings_known_and_unknown_are_found(odd: tuple[Selection, Audit]) -> None:
    forms = [row[:3] for row in of_kind(odd[1], review.HEADING)]
    assert forms == [
        ("bar", "singular", "N;NOM;SG"),
        *((stem, "n/e", "N;ACC;SG") for stem in sorted(STEMS[:6])),
    ]


def test_scripts_lemmas_and_spellings_are_found(odd: tuple[Selection, Audit]) -> None:
    found = odd[1]
    assert [row[1] for row in of_kind(found, review.SCRIPT)] == ["tеmér"]
    assert [row[:2] for row in of_kind(found, review.CITED)] == [("gyalogok", "gyalog")]
    assert [(row[0], row[-1]) for row in of_kind(found, review.LEMMA)] == [
        ("bart", "N;ACC;SG of bar; a homograph or no lemma")
    ]
    [spelling] = found.figures["spellings"]
    assert (spelling["found"], spelling["expected"]) == ("INST", "INS"), "of nouns alone"


def test_incomplete_paradigms_are_counted(odd: tuple[Selection, Audit]) -> None:
    figures = odd[1].figures["paradigms"]
    assert figures["usual_cells"] == len(CASES)
    assert figures["lemmas"] == len(STEMS) + 4
    assert figures["lacking_some"] == 4
    assert figures["missing"]["N;ACC;SG"] == 4


def test_paradigms_with_more_evidence_come_first() -> None:
    off = {"ACC": "ig", "DAT": "t", "INST": "nak"}
    rows = [
        ("abal", "abalt", "N;DAT;SG"),
        *(("zur", "zur" + ending, f"N;{case};SG") for case, ending in off.items()),
    ]
    _, found = examined([*GOOD, *rows])
    assert [row[1] for row in found.review] == ["zur", "zur", "zur", "abal"]


def test_of_a_choice_of_values_each_is_held_against_the_form() -> None:
    choice = [(stem, stem + "e", "N;NOM/VOC;SG") for stem in STEMS]
    _, found = examined([*GOOD, *choice, ("kor", "korval", "N;ACC/DAT;SG"), ("zir", "zire", "N;NOM/ACC;SG")])
    assert [row[1:5] for row in found.review if row[0] == review.LABEL] == [
        ("kor", "korval", "N;ACC/DAT;SG", "ACC"),
        ("kor", "korval", "N;ACC/DAT;SG", "DAT"),
        ("zir", "zire", "N;NOM/ACC;SG", "ACC"),
    ]
    assert found.labels.sum() == 2, "rows, not values"
    assert len(found.labels) == found.rows == len(GOOD) + len(choice) + 2
    assert found.figures["ambiguous_forms"] == len(STEMS) + 2


def test_dropped_rows_are_counted_by_reason(odd: tuple[Selection, Audit]) -> None:
    selection, found = odd
    left = audit.settle(selection, found, "drop")
    assert len(left.table) == len(selection.table) - 3 - 6
    assert not {"gyárt", "gyárnak", "gyárval", "n/e"} & set(left.table["form"].to_pylist())
    assert left.dropped == selection.dropped | {"suspicious label": 3, "heading under many lemmas": 6}
    assert left.examples["suspicious label"][0] == "gyár gyárnak N;INST;SG"
    assert left.table.schema == selection.table.schema
    for policy in ("keep", "stop"):
        assert audit.settle(selection, found, policy) is selection
    clean, findings = examined(GOOD)
    assert audit.settle(clean, findings, "drop").table.equals(clean.table)


def test_the_stage_stops_where_it_should(odd: tuple[Selection, Audit]) -> None:
    found, path = odd[1], Path("metrics/toy/review.tsv")
    for policy in ("keep", "drop"):
        audit.check(found, policy, path)
    audit.check(examined(GOOD)[1], "stop", path)
    with pytest.raises(DataError) as caught:
        audit.check(found, "stop", path)
    text = str(caught.value)
    assert text.startswith(f"9 of {found.rows} rows are suspicious (gyár gyár")
    assert text.endswith(
        "see metrics/toy/review.tsv, then mend the table or set sample.suspicious to keep or drop"
    )
    assert "\n" not in text


def test_the_list_is_a_table_of_eight_columns(odd: tuple[Selection, Audit]) -> None:
    head, *lines = review.tsv(odd[1].review).splitlines()
    assert head.split("\t") == list(review.COLUMNS)
    assert [tuple(line.split("\t")) for line in lines] == odd[1].review


def test_figures_are_json(odd: tuple[Selection, Audit]) -> None:
    figures = odd[1].figures
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["suspicious"] == {
        "label": 3,
        "heading": 7,
        "citation": 1,
        "script": 1,
        "invisible": 0,
        "lemma": 1,
    }
    kinds = [row[0] for row in odd[1].review]
    assert kinds == sorted(kinds, key=list(review.KINDS).index)
