from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esetrag.core import config, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS
from esetrag.data.families import Families
from esetrag.data.source import Source

CASES = {"NOM": "", "ACC": "t", "DAT": "nak"}
STEMS = [a + b + c for a in "bdfgkl" for b in "aou" for c in ("r", "l")]
TRAIN = "kutyát\tAcc\nHáz\tNom\nkutyát\tAcc\nvár\tNom\nvár\tInf\n"
DEV, TEST = "kertet\tAcc\n", "Ház\tNom\nház\tNom\nvárban\tIne/Ess\n"


def sample(**changed: Any) -> config.Sample:
    usual = {"suspicious": "keep", "split": "lemma", "seed": 1, "train": 20, "dev": None, "test": None}
    return config.Sample.model_validate(usual | changed)


def unimorph(**fields: Any) -> config.UnimorphTask:
    usual = {"kind": "classify", "model": "bilstm", "pos": "N", "feature": "Case"}
    return config.UnimorphTask.model_validate(usual | fields)


def columns(**fields: Any) -> config.ColumnsTask:
    usual = {"kind": "classify", "model": "bilstm", "source": "columns", "columns": {"form": 1, "label": 2}}
    return config.ColumnsTask.model_validate(usual | fields)


def parts_of(folder: Path, *texts: str) -> dict[str, Any]:
    """The fields of a task of three tables."""
    for part, text in zip(PARTS, texts, strict=True):
        (folder / f"{part}.tsv").write_text(text, "utf-8")
    return {"raw": str(folder), "splits": {part: f"{part}.tsv" for part in PARTS}}


def table(folder: Path, *more: str) -> str:
    rows = [f"{stem}\t{stem}{ending}\tN;{case};SG" for stem in STEMS for case, ending in CASES.items()]
    (folder / "t.tsv").write_text("\n".join([*rows, *more]), "utf-8")
    return str(folder / "t.tsv")


def figures(source: Source, options: config.Sample) -> dict[str, Any]:
    available, drawn = source.parts(options)
    families = Families.of(source.selection.table)
    content = source.figures(available, drawn, families, source.split_of(options))
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    return content


def test_every_row_of_the_file_is_in_the_figures(tmp_path: Path) -> None:
    more = ["bar\tbar\tV;PRS", "bar\tbarja\tN;SG;PSS3S", "bar\ta\tN;NOM;ACC;SG", "bar\t\tN;NOM;SG"]
    raw = table(tmp_path, *more, "bar\tbar\tN;NOM;SG")
    found = figures(Source.load(unimorph(raw=raw)), sample())
    assert found["read"] == {"rows": 113, "duplicates": 1, "parts_of_speech": {"N": 111, "V": 1}}
    assert found["dropped"]["several values of Case"] == {"rows": 1, "examples": ["bar a N;NOM;ACC;SG"]}
    assert {reason: entry["rows"] for reason, entry in found["dropped"].items()} == {
        "empty cell": 1, "no value of Case": 1, "several values of Case": 1,
    }  # fmt: skip
    assert found["kept"] == 108 == sum(part["available"] for part in found["parts"].values())
    assert [part["rows"] for part in found["parts"].values()] == [20, 9, 9]
    assert found["parts"]["dev"]["labels"] == {"ACC": 3, "DAT": 3, "NOM": 3}
    assert (found["split"]["kind"], found["left_out"], len(found["raw_sha256"])) == ("lemma", [], 64)


def test_what_was_lost_is_said_in_one_line(tmp_path: Path) -> None:
    more = ["bar\tbarban\tN;INNE;SG", "bar\tbarbar\tN;INNE;PL", "bar\t\tN;NOM;SG"]
    assert Source.load(unimorph(raw=table(tmp_path))).remarks == ""
    remarks = Source.load(unimorph(raw=table(tmp_path, *more))).remarks
    assert remarks == "used 108 of 111 rows: empty cell 1; no value of Case 2; unknown tags INNE (2)"


def test_labels_that_another_feature_decides_are_remarked(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    cells = {"": "SG;INDF", "k": "SG;INDF", "a": "PL;DEF", "ka": "PL;DEF", "e": "VOC;SG", "ke": "VOC;PL"}
    path.write_text("".join(f"{s}\t{s}{e}\tN;{tags}\n" for s in STEMS for e, tags in cells.items()), "utf-8")
    remarks = Source.load(unimorph(raw=str(path), feature="Number")).remarks
    assert remarks == "used 216 of 216 rows: labels follow Definiteness, are they of the right column?"


def test_a_single_label_is_refused_with_what_else_there_is(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\ta\tN;INDF\na\tan\tN;DFN\nb\tb\tN;INDF\n", "utf-8")
    with pytest.raises(DataError) as caught:
        Source.load(unimorph(raw=str(path), feature="Definiteness"))
    expected = "expected two labels, found only INDF; found N;INDF (2), N;DFN (1); unknown tags DFN (1)"
    assert str(caught.value) == f"{path}: {expected}"
    path.write_text("a\tx\nb\tx\n", "utf-8")
    with pytest.raises(DataError, match=r"t\.tsv: expected two labels, found only x$"):
        Source.load(columns(raw=str(path)))


def test_forms_before_lemmas_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    rows = [f"{stem}{ending}\t{stem}\tN;{case}" for stem in STEMS for case, ending in CASES.items()]
    path.write_text("\n".join(rows), "utf-8")
    with pytest.raises(DataError, match=r"found 108 lemmas with 36 forms; .* columns: \[form, lemma, tags\]"):
        Source.load(unimorph(raw=str(path)))
    right = Source.load(unimorph(raw=str(path), columns=["form", "lemma", "tags"]))
    assert right.selection.table["lemma"].to_pylist()[:2] == ["bar", "bar"]
    Source.load(unimorph(raw=str(path), columns=["lemma", "form", "tags"]))


def test_without_lemmas_forms_are_split_and_what_needs_lemmas_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("".join(f"w{number % 40}\tlabel {number % 3}\n" for number in range(60)), "utf-8")
    source = Source.load(columns(raw=str(path)))
    found = figures(source, sample(split="family"))
    assert (found["split"]["kind"], source.audit) == ("form", None)
    assert found["left_out"] == ["families of lemmas", "leakage by lemma", "split by lemma", "audit"]
    assert [part["forms"] for part in found["parts"].values()] == [20, 4, 4]
    assert {part["lemmas"] for part in found["parts"].values()} == {None}
    assert found["split"]["test_shares_with_train"] == {"lemmas": None, "forms": 0, "family_heads": None}


def test_given_parts_are_kept_row_by_row_whatever_the_sizes(tmp_path: Path) -> None:
    source = Source.load(columns(**parts_of(tmp_path, TRAIN, DEV, TEST)), suspicious="drop")
    drawn = source.parts(sample(train=1, test=1))[1]
    assert drawn["train"].schema.equals(tables.SAMPLE)
    for part, text in zip(PARTS, (TRAIN, DEV, TEST), strict=True):
        forms = [line.split("\t")[0] for line in text.splitlines()]
        assert drawn[part]["form"].to_pylist() == forms
        assert set(drawn[part]["weight"].to_pylist()) == {1.0}
    assert drawn["test"]["label"].to_pylist()[2] == "Ine%2FEss", "one value of free text"
    found = figures(source, sample())
    assert (found["split"]["kind"], found["kept"], found["read"]["rows"]) == ("given", 9, 9)
    assert found["split"]["test_shares_with_train"]["forms"] == 1
    assert set(found["raw_sha256"]) == set(PARTS)


def test_given_parts_of_inflection_tables_with_tags_in_the_middle(tmp_path: Path) -> None:
    """The format of SIGMORPHON's task of 2023."""
    train = [f"{stem}\tN;{case}(SG)\t{stem}{ending}" for stem in STEMS[:9] for case, ending in CASES.items()]
    test = [
        "bar\tN;ACC(SG)\tbart",
        "bar\tN;SG;PSS(1,PL)\tbarunk",
        "bar\tADJ;ACC(SG)\tbart",
        "ker\tV;INF\tkerni",
    ]
    raw = parts_of(tmp_path, "\n".join(train), "zir\tN;NOM(SG)\tzir", "\n".join(test))
    order = ["lemma", "tags", "form"]
    source = Source.load(unimorph(**raw, pos=["N", "ADJ"], columns=order))
    found = figures(source, sample())
    assert source.parts(sample())[0]["test"]["form"].to_pylist() == ["bart", "bart"]
    assert found["read"]["parts_of_speech"] == {"N": 30, "ADJ": 1, "V": 1}
    assert found["dropped"] == {"no value of Case": {"rows": 1, "examples": ["bar barunk N;SG;PSS(1,PL)"]}}
    assert found["split"]["test_shares_with_train"] == {"lemmas": 1, "forms": 1, "family_heads": 1}
    assert source.audit is not None
    with pytest.raises(DataError, match=r"test\.tsv: expected no lemma of the training rows, found 1, 'bar'"):
        Source.load(unimorph(**raw, columns=order, leakage="refuse"))


def test_doubtful_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    raw = table(tmp_path, "gyur\tgyurt\tN;DAT;SG", *(f"{stem}\txyz\tN;TERM;SG" for stem in STEMS[:6]))
    kept, dropped = (Source.load(unimorph(raw=raw), policy).selection for policy in ("keep", "drop"))
    assert len(kept.table) - len(dropped.table) == 7
    assert dropped.dropped == {"suspicious label": 1, "heading under many lemmas": 6}
    assert dropped.examples["suspicious label"] == ["gyur gyurt N;DAT;SG"]


def inflection(**fields: Any) -> config.InflectionTask:
    usual = {"kind": "transduce", "model": "seq2seq", "source": ["features", "lemma"], "target": "form"}
    return config.InflectionTask.model_validate(usual | fields)


def test_a_lemma_is_asked_for_with_each_of_its_bundles(tmp_path: Path) -> None:
    raw = table(tmp_path, "bor\tborat\tN;ACC;SG", "fut\tfutok\tV;PRS")
    source = Source.load(inflection(raw=raw, pos="N"))
    drawn = source.parts(sample(train=None))[1]
    rows = [row for part in drawn.values() for row in part.to_pylist()]
    assert len(rows) == len(STEMS) * len(CASES)
    assert {(row["form"], row["features"], row["label"]) for row in rows if row["lemma"] == "bor"} == {
        ("bor", "N;NOM;SG", "bor"), ("bor", "N;ACC;SG", "borat/bort"), ("bor", "N;DAT;SG", "bornak")
    }  # fmt: skip
    lemmas = [set(part["lemma"].to_pylist()) for part in drawn.values()]
    assert not lemmas[0] & lemmas[1] | lemmas[0] & lemmas[2] | lemmas[1] & lemmas[2]
    found = figures(source, sample())
    assert found["parts"]["train"]["labels"].keys() == {f"N;{case};SG" for case in CASES}
    assert len(Source.load(inflection(raw=raw)).selection.table) == len(rows) + 2, "all parts of speech"


def test_the_notebooks_split_merges_no_rows_that_ask_for_different_things(tmp_path: Path) -> None:
    raw, notebook = table(tmp_path), sample(split="notebook", train=None)
    drawn = Source.load(inflection(raw=raw, pos="N")).parts(notebook)[1]
    rows = [row for part in drawn.values() for row in part.to_pylist()]
    assert {(row["lemma"], row["features"], row["label"]) for row in rows} == {
        (stem, f"N;{case};SG", stem + ending) for stem in STEMS for case, ending in CASES.items()
    }


def test_the_notebooks_split_merges_no_pairs(tmp_path: Path) -> None:
    """A form may be right with one bundle and wrong with another."""
    raw = table(tmp_path, *(f"{stem}\t{stem}nak\tN;GEN;SG" for stem in STEMS))
    fields = {"kind": "pair", "model": "siamese", "builder": "valid", "pos": "N", "raw": raw}
    task = config.BuiltPairsTask.model_validate(fields)
    for part in Source.load(task).parts(sample(split="notebook", train=None))[1].values():
        assert {*part["label"].to_pylist()} == {"right", "wrong"}
        assert not [bundle for bundle in part["features"].to_pylist() if "|" in bundle]
        assert part["weight"].null_count == 0


def test_a_form_is_asked_for_its_lemmas(tmp_path: Path) -> None:
    raw = table(tmp_path, "bo\tbor\tN;ACC;SG", "a/b\tabc\tN;ACC;SG")
    every = sample(train=None, split="form")
    rows = Source.load(inflection(raw=raw, source=["form"], target="lemma")).parts(every)[0]
    labels = {row["form"]: row["label"] for part in rows.values() for row in part.to_pylist()}
    assert labels["bor"] == "bo/bor"
    assert labels["abc"] == "a%2Fb"
    assert labels["bornak"] == "bor"


def test_two_columns_of_a_table_are_source_and_target(tmp_path: Path) -> None:
    lines = ("word sound kind", "ház haːz N", "ló loː N", "ló lo N", "ló x V", "fű fyː N", "hó hoː N")
    (tmp_path / "t.tsv").write_text("\n".join(lines).replace(" ", "\t"), "utf-8")
    usual = {"kind": "transduce", "model": "seq2seq", "source": "columns", "raw": str(tmp_path / "t.tsv")}
    columns = {"source": "word", "target": "sound"}
    for more, expected in (({}, {"lo/loː/x"}), ({"features": "kind"}, {"lo/loː", "x"})):
        task = config.SequencesTask.model_validate({**usual, "columns": {**columns, **more}})
        parts = Source.load(task).parts(sample(train=None, split="form"))[0]
        labels = {row["label"] for part in parts.values() for row in part.to_pylist()}
        assert labels == {"haːz", "fyː", "hoː"} | expected
