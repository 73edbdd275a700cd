"""The script that makes the tables of ``data/raw`` from a spelling dictionary."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "data/raw/hunspell_to_unimorph.py"
Cells = dict[str, set[str]]


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hunspell_to_unimorph", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it
    spec.loader.exec_module(module)
    return module


hunspell = loaded()
RULES = """
SFX a Y 2
SFX a 0 ban [aáoóuú] is:INE
SFX a 0 t . is:ACC
SFX p Y 2
SFX p 0 k . is:PLUR is:NOM
SFX p 0 kat . is:PLUR is:ACC
"""
VERBS = """
SFX o Y 3
SFX o 0 ok . is:PRES_INDIC_INDEF_SG_1
SFX o 0 ja . is:SUBJ/IMPER_DEF_SG_3
SFX o 0 talak . is:PAST_INDIC_SG_1_OBJ_2
"""
NOM, ACC, INE = "N;NOM;SG", "N;ACC;SG", "N;IN+ESS;SG"


def expand(folder: Path, aff: str | bytes, dic: str | bytes, verbs: bool = False) -> dict[str, Cells]:
    """The paradigms of a dictionary; the word list's count of entries is written here."""
    for name, text in (("x.aff", aff), ("x.dic", dic)):
        data = text.encode() if isinstance(text, str) else text
        (folder / name).write_bytes(b"99\n" + data if name == "x.dic" else data)
    kind = hunspell.VERB if verbs else hunspell.NOUN
    found = hunspell.paradigms(folder / "x.aff", folder / "x.dic", kind)
    return {lemma: dict(cells) for lemma, cells in found.items()}


CASES: dict[str, tuple[str, str, dict[str, Cells]]] = {
    "rules make cells": (RULES, "kapu/ap\tpo:noun is:NOM\n", {"kapu": {
        NOM: {"kapu"}, INE: {"kapuban"}, ACC: {"kaput"}, "N;NOM;PL": {"kapuk"}, "N;ACC;PL": {"kapukat"}}}),
    "numbers point into alias tables": (
        "AF 2\nAF zz # 1\nAF ap # 2\nAM 2\nAM po:noun is:NOM\nAM is:ACC\nSFX a Y 1\nSFX a 0 t . 2\n",
        "kapu/2\t1\n", {"kapu": {NOM: {"kapu"}, ACC: {"kaput"}}}),
    "a rule strips before it adds, without the flags behind": (
        "SFX a Y 2\nSFX a a át/xy a is:ACC\nSFX a a 0 a is:DAT\n", "fa/a\tpo:noun is:NOM\n",
        {"fa": {NOM: {"fa"}, ACC: {"fát"}, "N;DAT;SG": {"f"}}}),
    "a strip longer than any condition": (
        "SFX a Y 1\nSFX a abcdefghij ban . is:INE\n", "xabcdefghij/a\tpo:noun is:NOM\n",
        {"xabcdefghij": {NOM: {"xabcdefghij"}, INE: {"xban"}}}),
    "a hyphen between brackets is a letter": (
        "SFX a Y 1\nSFX a 0 t [^ab-] is:ACC\n", "xa/a\tpo:noun is:NOM\nxc/a\tpo:noun is:NOM\n",
        {"xa": {NOM: {"xa"}}, "xc": {NOM: {"xc"}, ACC: {"xct"}}}),
    "a terminal plural is lost under a suffix": (RULES, "házak/a\tpo:noun st:ház ts:PLUR ts:NOM\n",
        {"ház": {"N;NOM;PL": {"házak"}, ACC: {"házakt"}}}),
    "an inflectional plural stays": (RULES, "házak/a\tpo:noun st:ház is:PLUR is:NOM\n",
        {"ház": {"N;NOM;PL": {"házak"}, "N;ACC;PL": {"házakt"}}}),
    "a case takes no further case": (RULES, "házat/a\tpo:noun st:ház is:ACC\n", {"ház": {ACC: {"házat"}}}),
    "a bound stem is no form": (RULES, "lova/au\tpo:noun st:ló is:NOM\n",
        {"ló": {INE: {"lovaban"}, ACC: {"lovat"}}}),
    "entries of one stem are one paradigm": (
        RULES, "fa\tpo:noun is:NOM\n\nfá/ua\tpo:noun st:fa is:NOM\n",
        {"fa": {NOM: {"fa"}, INE: {"fában"}, ACC: {"fát"}}}),
    **{f"left out: {entry}": (RULES, f"{entry}\n", {}) for entry in (
        "kapu/aw\tpo:noun is:NOM", "kapu/a|\tpo:noun is:NOM", "kapu/a\tpo:noun ds:SAG is:NOM",
        "kapu/a\tpo:noun is:POSS_1_SG is:NOM", "kapu/a\tpo:vrb is:NOM", "kapu/a\t")},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_dictionary_is_expanded_as_hunspell_would(tmp_path: Path, name: str) -> None:
    aff, dic, expected = CASES[name]
    assert expand(tmp_path, aff, dic) == expected


@pytest.mark.parametrize("byte", [0x80, 0x85, 0xA0, 0xB2, 0xFF])
@pytest.mark.parametrize("aliased", [True, False])
def test_a_flag_is_one_byte_whatever_it_is(tmp_path: Path, byte: int, aliased: bool) -> None:
    flag = bytes([byte])
    aff = b"AF 1\nAF q" + flag + b"r\nSFX " + flag + b" Y 1\nSFX " + flag + " 0 ó . is:ACC\n".encode()
    entry = b"kap/" + (b"1" if aliased else b"q" + flag + b"r") + b"\tpo:noun is:NOM\n"
    assert expand(tmp_path, aff, entry)["kap"][ACC] == {"kapó"}


def test_finite_cells_of_verbs_prefixes_and_irregular_forms(tmp_path: Path) -> None:
    dic = "vár/o\tpo:vrb ts:PRES_INDIC_INDEF_SG_3\nvár/o\tpo:noun ts:NOM\n"
    dic += "viszontlát/o\tpr:viszont st:lát po:vrb is:PAST_INDIC_INDEF_SG_3\n"
    third = "V;IND;PRS;INDF;3;SG"
    assert expand(tmp_path, VERBS, dic, verbs=True) == {
        "vár": {third: {"vár"}, "V;IND;PRS;INDF;1;SG": {"várok"}, "V;SBJV;PRS;DEF;3;SG": {"várja"}},
        "viszontlát": {"V;IND;PST;INDF;3;SG": {"viszontlát"}},
    }


@pytest.mark.parametrize(
    ("aff", "dic", "problem"),
    [
        ("SFX a Y 1\nSFX a 0 t [ab is:ACC\n", "", "x.aff, line 2: not a suffix rule"),
        (b"SFX a Y 1\nSFX a 0 \xff . is:ACC\n", "", "x.aff, line 2: not a suffix rule"),
        (RULES, "kapu/a\tpo:noun is:NOM\nkar/12\tpo:noun\n", "x.dic, line 3: not a dictionary entry"),
    ],
)
def test_a_faulty_line_ends_in_one_line(
    tmp_path: Path, aff: str | bytes, dic: str | bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        expand(tmp_path, aff, dic)
    command = [sys.executable, str(SCRIPT), *(str(tmp_path / name) for name in ("x.aff", "x.dic", "out"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n"), problem in done.stderr) == (1, 1, True)
    assert not (tmp_path / "out").exists()


def test_whole_paradigms_of_lower_case_words_are_chosen_whatever_their_order() -> None:
    full = {tags: {f"x{number}"} for number, tags in enumerate(hunspell.NOUN.cells)}
    lemmas = dict.fromkeys(["ablak", "őz", "Buda", "e-mail", "hűtő"], full)
    lemmas["hiány"] = {tags: forms for tags, forms in full.items() if tags != "N;TERM;PL"}
    assert sorted(hunspell.complete(lemmas)) == ["ablak", "hűtő"]
    many = [f"szó{number}" for number in range(200)]
    chosen = hunspell.choose(dict.fromkeys(many, full), 50)
    assert chosen == hunspell.choose(dict.fromkeys(reversed(many), full), 50) == sorted(set(chosen))
    assert set(hunspell.choose(dict.fromkeys(many, full), 20)) < set(chosen)


@pytest.mark.parametrize(("name", "kind", "count"), [("hun", "NOUN", 3000), ("hun-verbs", "VERB", 600)])
def test_the_committed_tables_have_whole_sorted_paradigms(name: str, kind: str, count: int) -> None:
    data = gzip.decompress((SCRIPT.parent / f"{name}.tsv.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() in (SCRIPT.parent / "README.md").read_text("utf-8")
    rows = [tuple(line.split("\t")) for line in data.decode().splitlines()]
    place = {tags: number for number, tags in enumerate(getattr(hunspell, kind).cells)}
    keys = [(lemma, place[tags], form) for lemma, form, tags in rows]
    assert keys == sorted(set(keys))
    paradigms = {lemma: {row[2] for row in group} for lemma, group in groupby(rows, lambda row: row[0])}
    assert len(paradigms) == count
    assert all(cells == set(place) for cells in paradigms.values())
