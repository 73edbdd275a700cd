from __future__ import annotations

import gzip
import hashlib
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from esetrag.core.errors import DataError
from esetrag.lexicon import hunspell
from esetrag.lexicon.paradigm import CASES, MOODS, NOUN, VERB, LemmaPrior

Cells = dict[str, set[str]]


def expand(folder: Path, aff: str | bytes, dic: str | bytes, kind: LemmaPrior = NOUN) -> dict[str, Cells]:
    """The paradigms of a dictionary; the word list's count of entries is written here."""
    for name, text in (("x.aff", aff), ("x.dic", dic)):
        data = text.encode() if isinstance(text, str) else text
        (folder / name).write_bytes(b"99\n" + data if name == "x.dic" else data)
    found = hunspell.paradigms(folder / "x.aff", folder / "x.dic", kind)
    return {lemma: dict(cells) for lemma, cells in found.items()}


RULES = """
SFX a Y 2
SFX a 0 ban [aáoóuú] is:INE
SFX a 0 t . is:ACC
SFX p Y 2
SFX p 0 k . is:PLUR is:NOM
SFX p 0 kat . is:PLUR is:ACC
"""


def test_rules_make_the_cells_of_a_noun(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "kapu/ap\tpo:noun is:NOM\n")
    assert found == {
        "kapu": {
            "N;NOM;SG": {"kapu"},
            "N;IN+ESS;SG": {"kapuban"},
            "N;ACC;SG": {"kaput"},
            "N;NOM;PL": {"kapuk"},
            "N;ACC;PL": {"kapukat"},
        }
    }


def test_alias_numbers_point_into_the_tables_of_flags_and_fields(tmp_path: Path) -> None:
    aff = "AF 2\nAF zz # 1\nAF ap # 2\nAM 2\nAM po:noun is:NOM\nAM is:ACC\nSFX a Y 1\nSFX a 0 t . 2\n"
    assert expand(tmp_path, aff, "kapu/2\t1\n") == {"kapu": {"N;NOM;SG": {"kapu"}, "N;ACC;SG": {"kaput"}}}


def test_alias_tables_may_stand_behind_the_rules(tmp_path: Path) -> None:
    aff = "SFX a Y 1\nSFX a 0 t . 1\nAM 1\nAM is:ACC\n"
    assert expand(tmp_path, aff, "kapu/a\tpo:noun is:NOM\n")["kapu"]["N;ACC;SG"] == {"kaput"}


def test_a_rule_strips_before_it_adds(tmp_path: Path) -> None:
    aff = "SFX a Y 2\nSFX a a át a is:ACC\nSFX a 0 et e is:ACC\n"
    found = expand(tmp_path, aff, "fa/a\tpo:noun is:NOM\nbe/a\tpo:noun is:NOM\n")
    assert found["fa"]["N;ACC;SG"] == {"fát"}
    assert found["be"]["N;ACC;SG"] == {"beet"}


def test_zero_adds_nothing_and_flags_behind_a_suffix_are_no_part_of_it(tmp_path: Path) -> None:
    aff = "SFX a Y 2\nSFX a a 0 a is:ACC\nSFX a 0 nak/xy . is:DAT\n"
    cells = expand(tmp_path, aff, "fa/a\tpo:noun is:NOM\n")["fa"]
    assert (cells["N;ACC;SG"], cells["N;DAT;SG"]) == ({"f"}, {"fanak"})


def test_a_hyphen_in_a_condition_is_a_letter_also_between_brackets(tmp_path: Path) -> None:
    aff = "SFX a Y 2\nSFX a 0 t [^ab-] is:ACC\nSFX a 0 nak [a-e] is:DAT\n"
    words = ("xa", "xb", "x-", "xc", "xe", "xd")
    found = expand(tmp_path, aff, "".join(f"{word}/a\tpo:noun is:NOM\n" for word in words))
    assert [word for word in words if "N;ACC;SG" in found[word]] == ["xc", "xe", "xd"]
    assert [word for word in words if "N;DAT;SG" in found[word]] == ["xa", "x-", "xe"]


def test_a_condition_is_on_the_end_of_the_word(tmp_path: Path) -> None:
    found = expand(
        tmp_path, "SFX a Y 1\nSFX a 0 t [áé]s is:ACC\n", "más/a\tpo:noun is:NOM\nmást/a\tpo:noun is:NOM\n"
    )
    assert "N;ACC;SG" in found["más"]
    assert "N;ACC;SG" not in found["mást"]


@pytest.mark.parametrize("byte", [0x80, 0x85, 0xA0, 0xC3, 0xFF])
@pytest.mark.parametrize("aliased", [True, False])
def test_a_flag_is_one_byte_whatever_it_is(tmp_path: Path, byte: int, aliased: bool) -> None:
    flag = bytes([byte])
    aff = b"AF 1\nAF q" + flag + b"r\nSFX " + flag + b" Y 1\nSFX " + flag + " 0 ó . is:ACC\n".encode()
    entry = b"kap/" + (b"1" if aliased else b"q" + flag + b"r") + b"\tpo:noun is:NOM\n"
    assert expand(tmp_path, aff, entry)["kap"]["N;ACC;SG"] == {"kapó"}


def test_a_terminal_plural_is_lost_under_a_further_suffix(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "házak/a\tpo:noun st:ház ts:PLUR ts:NOM\n")
    assert found == {"ház": {"N;NOM;PL": {"házak"}, "N;ACC;SG": {"házakt"}}}


def test_an_inflectional_plural_stays_under_a_further_suffix(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "házak/a\tpo:noun st:ház is:PLUR is:NOM\n")
    assert found == {"ház": {"N;NOM;PL": {"házak"}, "N;ACC;PL": {"házakt"}}}


def test_a_form_in_a_case_takes_no_further_case(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "házat/a\tpo:noun st:ház is:ACC\n")
    assert found == {"ház": {"N;ACC;SG": {"házat"}}}


def test_a_bound_stem_is_no_form_itself(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "lova/au\tpo:noun st:ló is:NOM\n")
    assert found == {"ló": {"N;IN+ESS;SG": {"lovaban"}, "N;ACC;SG": {"lovat"}}}


@pytest.mark.parametrize("flag", [hunspell.FORBIDDEN, hunspell.ONLY_IN_COMPOUND])
def test_forbidden_words_and_parts_of_compounds_are_left_out(tmp_path: Path, flag: str) -> None:
    assert expand(tmp_path, RULES, f"kapu/a{flag}\tpo:noun is:NOM\n") == {}


@pytest.mark.parametrize(
    "fields",
    ["po:noun ds:SAG is:NOM", "po:noun is:POSS_1_SG is:NOM", "po:vrb is:NOM", "po:noun_prs is:NOM", ""],
)
def test_derived_possessed_and_other_words_are_left_out(tmp_path: Path, fields: str) -> None:
    assert expand(tmp_path, RULES, f"kapu/a\t{fields}\n") == {}


def test_rules_of_derivations_and_other_features_are_left_out(tmp_path: Path) -> None:
    aff = RULES.replace("SFX a Y 2", "SFX a Y 4\nSFX a 0 ság . ds:SAG is:NOM\nSFX a 0 om . is:POSS is:NOM")
    forms = set().union(*expand(tmp_path, aff, "kapu/a\tpo:noun is:NOM\n")["kapu"].values())
    assert forms == {"kapu", "kapuban", "kaput"}


def test_entries_of_one_stem_make_one_paradigm(tmp_path: Path) -> None:
    found = expand(tmp_path, RULES, "fa\tpo:noun is:NOM\n\nfá/ua\tpo:noun st:fa is:NOM\n")
    assert found == {"fa": {"N;NOM;SG": {"fa"}, "N;IN+ESS;SG": {"fában"}, "N;ACC;SG": {"fát"}}}


VERB_RULES = """
SFX o Y 4
SFX o 0 ok . is:PRES_INDIC_INDEF_SG_1
SFX o 0 nék . is:PRES_COND_INDEF_SG_1
SFX o 0 ja . is:SUBJ/IMPER_DEF_SG_3
SFX o 0 talak . is:PAST_INDIC_SG_1_OBJ_2
"""


def test_rules_make_the_finite_cells_of_a_verb(tmp_path: Path) -> None:
    entry = "vár/o\tpo:vrb ts:PRES_INDIC_INDEF_SG_3\nvár/o\tpo:noun ts:NOM\n"
    assert expand(tmp_path, VERB_RULES, entry, VERB) == {
        "vár": {
            "V;IND;PRS;INDF;3;SG": {"vár"},
            "V;IND;PRS;INDF;1;SG": {"várok"},
            "V;COND;PRS;INDF;1;SG": {"várnék"},
            "V;SBJV;PRS;DEF;3;SG": {"várja"},
        }
    }


def test_an_irregular_form_is_an_entry_of_its_own_and_a_prefix_is_part_of_the_lemma(tmp_path: Path) -> None:
    dic = (
        "viszontlát/o\tpr:viszont st:lát po:vrb is:PAST_INDIC_INDEF_SG_3\n"
        "láss/o\tst:lát po:vrb is:SUBJ/IMPER_INDEF_SG_2\n"
        "látás/o\tst:lát po:vrb ds:Ás_PROCESS/RESULT_noun ts:NOM\n"
    )
    assert expand(tmp_path, VERB_RULES, dic, VERB) == {
        "viszontlát": {"V;IND;PST;INDF;3;SG": {"viszontlát"}},
        "lát": {"V;SBJV;PRS;INDF;2;SG": {"láss"}},
    }


@pytest.mark.parametrize(
    ("aff", "dic", "told"),
    [
        ("SFX a Y 1\nSFX a 0 t [ab is:ACC\n", "", r"x\.aff, line 2: not a suffix rule"),
        (b"SFX a Y 1\nSFX a 0 \xff . is:ACC\n", "", r"x\.aff, line 2: not a suffix rule"),
        ("SFX a Y 1\nSFX a 0 t . 7\n", "", r"x\.aff, line 2: not a suffix rule"),
        (RULES, "kapu/a\tpo:noun is:NOM\nkar/12\tpo:noun\n", r"x\.dic, line 3: not a dictionary entry"),
        (RULES, b"\xff/a\tpo:noun is:NOM\n", r"x\.dic, line 2: not a dictionary entry"),
    ],
)
def test_a_line_that_is_no_rule_or_entry_is_told(
    tmp_path: Path, aff: str | bytes, dic: str | bytes, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        expand(tmp_path, aff, dic)


def full(lemma: str) -> hunspell.Paradigm:
    return {tags: {f"{lemma}{number}"} for number, tags in enumerate(NOUN.cells)}


def test_only_whole_paradigms_of_lower_case_words_are_kept() -> None:
    lemmas = {word: full(word) for word in ("ablak", "őz", "Buda", "e-mail", "hűtő", "cafè")}
    lemmas["hiány"] = {tags: forms for tags, forms in full("hiány").items() if tags != "N;TERM;PL"}
    assert sorted(hunspell.complete(lemmas)) == ["ablak", "hűtő"]


def test_the_choice_of_lemmas_does_not_depend_on_their_order() -> None:
    words = [f"szó{i}" for i in range(200)]
    chosen = hunspell.choose({word: full(word) for word in words}, 50)
    assert chosen == hunspell.choose({word: full(word) for word in reversed(words)}, 50)
    assert chosen == sorted(chosen)
    assert len(set(chosen)) == 50
    assert hunspell.choose({word: full(word) for word in words}, None) == sorted(words)


def test_a_larger_choice_holds_the_smaller() -> None:
    lemmas = {f"szó{i}": full(f"szó{i}") for i in range(200)}
    assert set(hunspell.choose(lemmas, 20)) < set(hunspell.choose(lemmas, 60))


def test_a_lemma_foreign_to_the_choice_leaves_the_others_in_place() -> None:
    lemmas = {f"szó{i}": full(f"szó{i}") for i in range(200)}
    chosen = set(hunspell.choose(lemmas, 50))
    assert len(chosen & set(hunspell.choose(lemmas | {"új": full("új")}, 50))) >= 49


def test_the_table_has_a_row_a_form_in_fixed_order() -> None:
    paradigm = full("fa") | {"N;ACC;SG": {"fát", "fat"}}
    lines = hunspell.table({"fa": paradigm}, ["fa"]).splitlines()
    assert lines[:4] == ["fa\tfa0\tN;NOM;SG", "fa\tfa1\tN;NOM;PL", "fa\tfat\tN;ACC;SG", "fa\tfát\tN;ACC;SG"]
    assert len(lines) == len(NOUN.cells) + 1


def test_the_command_writes_the_same_bytes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suffixes = {name: number for number, name in enumerate(CASES) if name != "SUBS"}
    rules = [
        f"SFX a 0 {'x' * number or '0'} . is:{name}" for name, number in suffixes.items() if name != "NOM"
    ]
    plural = [f"SFX a 0 k{'x' * number} . is:PLUR is:{name}" for name, number in suffixes.items()]
    (tmp_path / "x.aff").write_text("\n".join(["SFX a Y 33", *rules, *plural]))
    (tmp_path / "x.dic").write_text("2\nkapu/a\tpo:noun is:NOM\nfal/a\tpo:noun is:NOM\n")
    outputs = [tmp_path / "one.tsv.gz", tmp_path / "two.tsv.gz", tmp_path / "plain.tsv"]
    for out in outputs:
        monkeypatch.setattr(
            sys, "argv", ["hunspell", str(tmp_path / "x.aff"), str(tmp_path / "x.dic"), str(out)]
        )
        hunspell.main()
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    text = outputs[2].read_bytes()
    assert gzip.decompress(outputs[0].read_bytes()) == text
    assert text.count(b"\n") == 2 * 34
    assert hashlib.sha256(text).hexdigest() in capsys.readouterr().out


def test_the_34_cells_are_17_cases_in_two_numbers() -> None:
    assert len(set(NOUN.cells)) == 34
    assert Counter(cell.rpartition(";")[2] for cell in NOUN.cells) == {"SG": 17, "PL": 17}


def test_the_48_cells_of_a_verb_are_four_moods_and_tenses() -> None:
    assert Counter(";".join(cell.split(";")[1:3]) for cell in VERB.cells) == dict.fromkeys(MOODS.values(), 12)
    assert VERB.cells[:2] == ["V;IND;PRS;INDF;1;SG", "V;IND;PRS;INDF;2;SG"]


def test_the_committed_table_of_verbs_has_600_whole_sorted_paradigms(repo: Path) -> None:
    data = gzip.decompress((repo / "data" / "raw" / "hun-verbs.tsv.gz").read_bytes())
    digest = hashlib.sha256(data).hexdigest()
    assert digest in (repo / "data" / "raw" / "README.md").read_text("utf-8")
    rows = [tuple(line.split("\t")) for line in data.decode().splitlines()]
    place = {tags: number for number, tags in enumerate(VERB.cells)}
    keys = [(lemma, place[tags], form) for lemma, form, tags in rows]
    assert keys == sorted(set(keys))
    paradigms = {lemma: {tags for _, _, tags in group} for lemma, group in groupby(rows, lambda row: row[0])}
    assert len(paradigms) == 600
    assert all(cells == set(VERB.cells) for cells in paradigms.values())


def test_the_committed_table_has_3000_whole_sorted_paradigms(repo: Path) -> None:
    data = gzip.decompress((repo / "data" / "raw" / "hun.tsv.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == (
        "98a857a4db9f6bb55f3946db83b84443ebd265747e405db5b7c4b829fb7f48a3"
    )
    rows = [tuple(line.split("\t")) for line in data.decode().splitlines()]
    place = {tags: number for number, tags in enumerate(NOUN.cells)}
    keys = [(lemma, place[tags], form) for lemma, form, tags in rows]
    assert keys == sorted(set(keys))
    paradigms = {lemma: {tags for _, _, tags in group} for lemma, group in groupby(rows, lambda row: row[0])}
    assert len(paradigms) == 3000
    assert all(cells == set(NOUN.cells) for cells in paradigms.values())
    letters = set("aábcdeéfghiíjklmnoóöőpqrstuúüűvwxyz")
    assert set().union(*(lemma for lemma, _, _ in rows)) <= letters
    # A suffix joins some foreign words by a hyphen.
    assert set().union(*(form for _, form, _ in rows)) <= letters | {"-"}
