"""CoNLL-U: which words and tags are taken, and where a file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.core.errors import DataError
from esetrag.data import conllu

SENTENCE = """\
# sent_id = 1
# text = Vámonos al mar .
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tv\tNumber=Plur|Person=1\t0\troot\t_\tNER=O
2\tnos\tnosotros\tPRON\tp\tCase=Acc|Number=Plur\t1\tobj\t_\tNER=O
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\ts\t_\t5\tcase\t_\tNER=O
4\tel\tel\tDET\td\tNumber=Sing\t5\tdet\t_\tNER=O
4.1\tgran\tgran\tADJ\ta\t_\t_\t_\t5:amod\t_
5\tmar\tmar\tNOUN\tn\tNumber=Sing\t1\tobl\t_\tNER=B-LOC|SpaceAfter=No
6\t.\t.\tPUNCT\tf\t_\t1\tpunct\t_\tNER=O
"""
TWO = SENTENCE + "\n1\tNo\tno\tINTJ\ti\t_\t0\troot\t_\t_\n\n"


def rows(path: Path, text: str, field: str, distinct: bool = True) -> list[tuple[str, str]]:
    path.write_text(text, "utf-8")
    table = conllu.select(path, field, distinct).table
    return list(zip(table["form"].to_pylist(), table["label"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ("upos", "VERB PRON ADP DET NOUN PUNCT"),
        ("xpos", "v p s d n f"),
        ("deprel", "root obj case det obl punct"),
        ("feats.Case", "_ Acc _ _ _ _"),
        ("feats.Number", "Plur Plur _ Sing Sing _"),
        ("feats", "Number=Plur|Person=1 Case=Acc|Number=Plur _ Number=Sing Number=Sing _"),
        ("misc.NER", "O O O O B-LOC O"),
    ],
)
def test_a_field_of_the_words_of_a_sentence_is_taken(tmp_path: Path, field: str, tags: str) -> None:
    words = "Vamos nos a el mar ."
    assert rows(tmp_path / "a.conllu", TWO, field)[0] == (words, tags)


def test_sentences_without_the_field_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    assert len(rows(path, TWO, "upos")) == 2
    assert len(rows(path, TWO, "feats.Case")) == 1
    assert conllu.select(path, "feats.Case").dropped == {"no word with feats.Case": 1}
    with pytest.raises(DataError, match="none of the 2 sentences has a word with feats"):
        conllu.select(path, "feats.Mood")


def test_sentences_that_stand_again_are_one_unless_parts_are_given(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    assert len(rows(path, TWO + TWO, "upos")) == 2
    assert len(rows(path, TWO + TWO, "upos", distinct=False)) == 4


def test_a_word_may_hold_a_space_and_the_last_blank_line_may_be_missing(tmp_path: Path) -> None:
    text = "1\tViệt Nam\t_\tPROPN\t_\t_\t0\troot\t_\t_"
    assert rows(tmp_path / "a.conllu", text, "upos") == [("Việt\u00a0Nam", "PROPN")]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("7\tmar\tNOUN", "3 column"),
        ("x\ta\ta\tADP\t_\t_\t0\t_\t_\t_", "the ID 'x'"),
        ("7\t\ta\tADP\t_\t_\t0\t_\t_\t_", "the form ''"),
        ("9\ta\ta\tADP\t_\t_\t0\t_\t_\t_", "expected word 7 or 1, found 9"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, found: str) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(SENTENCE + line + "\n", "utf-8")
    with pytest.raises(DataError) as raised:
        conllu.select(path, "upos")
    assert str(raised.value).startswith(f"{path}, line {len(SENTENCE.splitlines()) + 1}: expected")
    assert found in str(raised.value)
