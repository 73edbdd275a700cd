"""Tables as they are published, irregularities and all, become tasks by an entry of params.yaml alone."""

from __future__ import annotations

import gzip
import unicodedata
from itertools import product
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.project import Project

STEMS = [f"{a}{b}{c}" for a, b, c in product("bdgklmnprstv", "aeiou", "lnr")]


def paradigms(endings: dict[str, str], stems: list[str] = STEMS) -> list[str]:
    return [f"{stem}\t{stem}{ending}\t{tags}" for stem in stems for tags, ending in endings.items()]


ESTONIAN = "\n\n".join(  # blank lines, a row that stands twice, outer spaces, verbs between
    [
        *paradigms({"N;NOM;SG": "", "N;GEN;SG": "a", "N;PRT;PL": "id", "N;COM;SG": " aga "}),
        "bal\tbala\tN;GEN;SG",
        "balama\tei olevat balanud\tV;ACT;PRS;PRF;NEG;QUOT",
    ]
)
ICELANDIC = "\n" + "\n".join(  # the case is the third tag; headings of tables for forms
    [
        *paradigms(
            {"N;DEF;NOM;SG": "inn", "N;INDF;ACC;PL": "a", "N;DEF;GEN;PL": "anna", "N;DEF;DAT;SG": "inum"}
        ),
        "bal\tdefinite\tN;DEF;NOM;PL",
        "ber\tindefinite\tN;INDF;NOM;SG",
    ]
)
KAZAKH = "\r\n".join(  # CRLF; possessed rows without a case; another script
    paradigms(
        {
            "N;NOM;SG": "",
            "N;INST;PL": "лармен",
            "N;LOC;SG": "да",
            "N;PSS1P;SG": "ымыз",
            "N;PSS2S;SG;LSSPEC1": "ың",
        },
        [f"{a}{b}{c}" for a, b, c in product("бдгклм", "аеиоу", "лнр")],
    )
)
UNIMORPH_4 = "\ufeff" + "\n".join(  # BOM; layered tags, number first, alternatives, words that look missing
    [
        *paradigms({"N;NOM(SG)": "", "N;ACC(SG)": "t", "N;PL;INS": "kkal"}),
        *paradigms({"N;INST;SG": "val", "N;SG;LGSPEC02": "é"}),
        "bal\tbalnek\tN;GEN/DAT;SG",
        "bal\tbalnak\tN;DAT;GEN;SG",
        'null\tnull\tN;NOM(SG)',
        'null\tnullt\tN;ACC(SG)',
        'NA\t"NA\tN;NOM(SG)',
    ]
)  # fmt: skip
CRIMEAN_TATAR = "\n".join(paradigms({"N;NOM": "", "N;ACC": "nı", "N;ABL": "dan", "N;GEN": "nıñ"}))

Expected = tuple[str, set[str], dict[str, int], int]
TABLES: dict[str, Expected] = {
    "est": (ESTONIAN, {"NOM", "GEN", "PRT", "COM"}, {}, 1),
    "isl": (ICELANDIC, {"NOM", "ACC", "GEN", "DAT"}, {"heading as a form": 2}, 0),
    "kaz": (KAZAKH, {"NOM", "INS", "LOC"}, {"no value of Case": 180}, 0),
    "um4": (
        UNIMORPH_4,
        {"NOM", "ACC", "INS", "DAT/GEN"},
        {"no value of Case": 180, "several values of Case": 1},
        0,
    ),
    "crh": (CRIMEAN_TATAR, {"NOM", "ACC", "ABL", "GEN"}, {}, 0),
}  # fmt: skip


@pytest.mark.parametrize("language", TABLES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_published_table_becomes_a_case_task(project: Project, language: str, packed: bool) -> None:
    content, labels, dropped, duplicates = TABLES[language]
    raw = f"data/raw/{language}.gz" if packed else f"data/raw/{language}"  # as UniMorph names its files
    project.write(raw, gzip.compress(content.encode()) if packed else content)
    project.change(
        tasks={language: {"raw": raw, "pos": "N", "feature": "Case"}}, sample={"train": None, "dev": None}
    )
    project.stage("sample", task=language)
    report = project.json(f"metrics/{language}/data.json")
    assert {reason: entry["rows"] for reason, entry in report["dropped"].items()} == dropped
    assert report["read"]["duplicates"] == duplicates
    rows = [
        row
        for part in ("train", "dev", "test")
        for row in pq.read_table(project.root / f"data/{language}/sample/{part}.parquet").to_pylist()
    ]
    assert {row["label"] for row in rows} == labels
    assert len(rows) == report["kept"]
    assert all(
        row["form"] == row["form"].strip() and unicodedata.is_normalized("NFC", row["form"]) for row in rows
    )
    if language == "um4":
        assert {"null", "nullt", '"NA'} <= {row["form"] for row in rows}


@pytest.mark.parametrize(
    ("pos", "feature", "labels"),
    [
        ("V", "Mood", {"IND", "COND"}),
        ("V", "Tense", {"PRS", "PST"}),
        ("V", "Person", {"1", "2", "3"}),
        ("N", "Number", {"SG", "PL"}),
    ],
)
def test_other_features_and_parts_of_speech(
    project: Project, pos: str, feature: str, labels: set[str]
) -> None:
    verbs = {"V;IND;PRS;INDF;1;SG": "ok", "V;COND;PRS;2;SG": "nál", "V:IND:PST:3:PL": "tak", "V;NFIN": "ni"}
    nouns = {"N;NOM;SG": "", "N;NOM;PL": "k"}
    project.write("data/raw/toy.tsv", "\n".join(paradigms(verbs) + paradigms(nouns)))
    project.change(tasks={"toy": {"raw": "data/raw/toy.tsv", "pos": pos, "feature": feature}})
    project.stage("sample")
    assert set(project.json("metrics/toy/data.json")["parts"]["test"]["labels"]) == labels


def test_a_label_and_symbols_that_training_never_showed(project: Project) -> None:
    rare = [f"Ŷ{stem}\tŶ{stem}łæth\tN;ESS;SG" for stem in STEMS[-12:]]
    common = paradigms({"N;NOM;SG": "", "N;ACC;SG": "t"}, STEMS[:120])
    project.write("data/raw/toy.tsv", "\n".join(common + rare))
    for seed in range(100):  # until the rare ones are in dev or test alone
        project.change(sample={"train": 30, "dev": None, "seed": seed})
        project.stage("sample")
        labels = {part: set(entry["labels"]) for part, entry in parts_of(project).items()}
        if "ESS" not in labels["train"] and "ESS" in labels["dev"] & labels["test"]:
            break
    for stage in ("build_vocab", "encode_pad", "train", "evaluate", "error_analysis"):
        project.stage(stage)
    account = project.json("metrics/toy/encoding.json")["parts"]["test"]
    rows = account["unseen_labels"]["ESS"]
    assert account["cut_forms"] == rows
    assert {symbol: account["unknown_symbols"][symbol] for symbol in "Ŷłæh"} == dict.fromkeys("Ŷłæh", rows)
    test = project.json("metrics/toy/test.json")
    assert test["unseen_labels"] == rows
    assert test["models"]["bilstm"]["accuracy"] <= round(1 - rows / test["rows"], 4)
    errors = (project.root / "metrics/toy/errors.md").read_text("utf-8")
    assert "| ESS |" in errors
    assert "æłŶ" in errors


def parts_of(project: Project) -> dict[str, Any]:
    parts: dict[str, Any] = project.json("metrics/toy/data.json")["parts"]
    return parts
