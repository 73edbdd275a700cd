from __future__ import annotations

import gzip
import io
import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.__main__ import main
from esetrag.core.errors import ParamsError
from esetrag.predict.predictor import READ_AT_ONCE, Predictor, column
from tests.project import REPO
from tests.unit.predict.conftest import Run, table

WORDS = ["kanaban", "kepből", "xkanát"]


def test_words_are_answered_in_text(run: Run, reader: Predictor) -> None:
    lines = run(*WORDS, "--top-k", 2).splitlines()
    for line, reading in zip(lines, reader.predict(WORDS, 2), strict=True):
        (first, second), shares = reading.labels, reading.probabilities
        note = f"  (unknown to the reader: {reading.unknown})" if reading.unknown else ""
        assert line == f"{reading.form}  {first} {shares[0]:.1%}  {second} {shares[1]:.1%}{note}"
    assert "(unknown to the reader: x" in lines[2]


def test_json_is_an_object_a_line(run: Run, reader: Predictor) -> None:
    answers = [json.loads(line) for line in run(*WORDS, "--format", "json", "--top-k", 3).splitlines()]
    for answer, reading in zip(answers, reader.predict(WORDS, 3), strict=True):
        assert (answer["form"], answer["labels"]) == (reading.form, list(reading.labels))
        assert np.array(answer["probabilities"], np.float32).tolist() == list(reading.probabilities)
        assert answer["label_set"] == reading.label_set
        assert answer["unknown"] == reading.unknown


@pytest.mark.parametrize("way", ["words", "pipe", "dash", "txt", "tsv", "gz", "parquet", "decomposed"])
def test_a_word_has_the_same_numbers_whichever_way_it_comes_in(
    run: Run, reader: Predictor, tmp_path: Path, way: str
) -> None:
    lines = "\n".join(WORDS).encode()
    path = tmp_path / {"gz": "words.tsv.gz"}.get(way, f"words.{way}")
    if way == "gz":
        path.write_bytes(gzip.compress(lines))
    elif way == "parquet":
        pq.write_table(pa.table({"form": WORDS}), path)
    else:
        path.write_bytes(lines)
    decomposed = [unicodedata.normalize("NFD", word) for word in WORDS]
    given: dict[str, list[object]] = {
        "words": [*WORDS, "--format", "tsv"],
        "decomposed": [*decomposed, "--format", "tsv"],
        "pipe": [],
        "dash": ["--input", "-"],
    }
    header, *rows = table(run(*given.get(way, ["--input", path]), "--top-k", 2, stdin=lines))
    assert header == ["form", "label", "probability", "label_2", "probability_2", "label_set", "unknown"]
    for row, reading in zip(rows, reader.predict(WORDS, 2), strict=True):
        assert [unicodedata.normalize("NFC", row[0]), row[1], row[3], *row[5:]] == [
            reading.form, *reading.labels, reading.label_set, reading.unknown,
        ]  # fmt: skip
        assert np.array([row[2], row[4]], np.float32).tolist() == list(reading.probabilities)


def test_a_reading_is_the_same_in_any_company(reader: Predictor, tiny_rows: pa.Table) -> None:
    forms = tiny_rows["form"].to_pylist()
    many = (forms * (READ_AT_ONCE // len(forms) + 1))[: READ_AT_ONCE + 3]
    together = reader.predict_table(column(many))
    assert len(together) == len(many)
    alone = [reader.predict([form])[0] for form in many[-5:]]
    assert [(one.labels[0], one.unknown) for one in alone] == list(
        zip(together["label"].to_pylist()[-5:], together["unknown"].to_pylist()[-5:], strict=True)
    )
    np.testing.assert_allclose(
        [one.probabilities[0] for one in alone], together["probability"].to_numpy()[-5:], atol=1e-6
    )


def test_unknown_symbols_of_a_table_are_those_of_each_word(reader: Predictor) -> None:
    forms = ["kana", "", "ßkanaé\U0001f600ß", "\u0301", "\0€", "e\u0301x", "日本", "kana"]
    known = set(reader.checkpoint.vocabulary.symbols)
    expected = ["".join(sorted(set(unicodedata.normalize("NFC", form)) - known)) for form in forms]
    assert reader.predict_table(column(forms))["unknown"].to_pylist() == expected
    assert reader.predict_table(column(forms).slice(2, 3))["unknown"].to_pylist() == expected[2:5]


def test_more_labels_than_there_are_is_all_of_them(run: Run, reader: Predictor) -> None:
    [answer] = run("kanaban", "--format", "json", "--top-k", 10**9).splitlines()
    assert sorted(json.loads(answer)["labels"]) == sorted(reader.labels)


@pytest.mark.parametrize("top_k", [0, -1])
def test_no_label_is_refused(refuse: Run, reader: Predictor, top_k: int) -> None:
    assert f"expected 1 label a word or more, found {top_k}" in refuse("kanaban", "--top-k", top_k)
    with pytest.raises(ParamsError, match="top_k"):
        reader.predict(["kanaban"], top_k)


def test_other_columns_of_a_table_stay_before_the_new_ones(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('1\t kanaban \t"quoted\n\n2\tkepből\t a  b\n', "utf-8")
    header, *rows = table(run("--input", path, "--column", 2))
    assert header == ["column_1", "form", "column_3", "label", "probability", "label_set", "unknown"]
    assert [row[:4] for row in rows] == [
        ["1", "kanaban", '"quoted', "IN+ESS"],
        ["2", "kepből", " a  b", "IN+ABL"],
    ]


@pytest.mark.parametrize("ending", ["tsv", "parquet", "txt", "json"])
def test_nothing_in_gives_no_rows_out(run: Run, tmp_path: Path, ending: str) -> None:
    for text in (b"", b"\n \n"):
        run("--output", tmp_path / f"a.{ending}", stdin=text)
        content = (tmp_path / f"a.{ending}").read_bytes()
        if ending == "parquet":
            empty = pq.read_table(tmp_path / "a.parquet")
            assert (empty.column_names, len(empty)) == (
                ["form", "label", "probability", "label_set", "unknown"],
                0,
            )
        else:
            assert content == (b"form\tlabel\tprobability\tlabel_set\tunknown\n" if ending == "tsv" else b"")


def test_parquet_in_and_out(run: Run, reader: Predictor, tiny_rows: pa.Table, tmp_path: Path) -> None:
    source, target = tmp_path / "a.parquet", tmp_path / "deep" / "b.parquet"
    words = pa.chunked_array([tiny_rows["form"].combine_chunks().dictionary_encode()])
    pq.write_table(pa.table({"n": range(len(words)), "word": words}), source, row_group_size=20)
    assert run("--input", source, "--column", "word", "--output", target) == ""
    found = pq.read_table(target)
    assert found.column_names == ["n", "word", "label", "probability", "label_set", "unknown"]
    readings = reader.predict(words.to_pylist())
    assert found["n"].to_pylist() == list(range(len(words)))
    assert found["label"].to_pylist() == [reading.labels[0] for reading in readings]
    assert found["probability"].to_pylist() == [reading.probabilities[0] for reading in readings]
    assert table(run("--input", source, "--column", "word"))[1][:3] == ["0", "kana", readings[0].labels[0]]


def test_an_output_may_take_the_place_of_its_input(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("kanaban\n")
    run("--input", path, "--output", path)
    assert path.read_text("utf-8").startswith("kanaban  IN+ESS ")


def test_a_named_task_or_the_first_is_read(
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    (tmp_path / "params.yaml").write_text((REPO / "params.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "data/hun-noun-case").mkdir(parents=True)
    tiny_checkpoint.rename(tmp_path / "data/hun-noun-case/model")
    monkeypatch.chdir(tmp_path)
    main(["predict", "kanaban"])
    main(["predict", "--task", "hun-noun-case", "kanaban"])
    first, second = capfdbinary.readouterr().out.decode().splitlines()
    assert first == second
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "kanaban", "--task", "nothing"])
    assert b"no task 'nothing'" in capfdbinary.readouterr().err


def test_what_tsv_cannot_hold_is_told(refuse: Run, run: Run, tmp_path: Path) -> None:
    assert "column 'form': a tab or line break has no place in TSV" in refuse("a\tb", "--format", "tsv")
    assert json.loads(run("a\tb", "--format", "json"))["form"] == "a\tb"
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"form": ["a"], "list": [[1]]}), path)
    assert "column 'list': list<" in refuse("--input", path)
    run("--input", path, "--output", tmp_path / "b.parquet")


def test_contradictions_are_told(refuse: Run, tmp_path: Path) -> None:
    assert "expected words or --input, found both" in refuse("a", "--input", "b.txt")
    assert "expected an ending of format json" in refuse("a", "--format", "json", "--output", "b.tsv")
    assert "expected an ending .txt, .json, .tsv, .parquet, found none" in refuse("a", "--output", "b")
    (tmp_path / "folder.tsv").mkdir()
    assert "cannot be written" in refuse("a", "--output", tmp_path / "folder.tsv")
    assert "expected words in UTF-8" in refuse("a\udcff")


def test_a_terminal_is_not_waited_for(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "--checkpoint", str(tiny_checkpoint)])
    assert b"expected words, found none" in capfdbinary.readouterr().err
