from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.cli import main
from esetrag.predict.predictor import Predictor
from tests.project import REPO
from tests.unit.predict.conftest import Run, table

WORDS = ["kanaban", "kepből", "xkanát"]
COLUMNS = ["form", "label", "probability", "label_set", "unknown"]


def test_words_are_answered_in_text(run: Run, predictor: Predictor) -> None:
    lines = run(*WORDS, "27\u200b", "--top-k", 2).splitlines()
    for line, prediction in zip(lines, predictor.predict(WORDS, 2), strict=False):
        (first, second), shares = prediction.labels, prediction.probabilities
        note = f"  (unknown symbols: {prediction.unknown})" if prediction.unknown else ""
        assert line == f"{prediction.form}  {first} {shares[0]:.1%}  {second} {shares[1]:.1%}{note}"
    assert "(unknown symbols: xá)" in lines[2]
    assert lines[3] == "27\u200b  (no known letter)  (unknown symbols: 27 U+200B)", "no answer, a reason"


def test_running_text_is_answered_word_by_word_with_offsets(run: Run, predictor: Predictor) -> None:
    text = "Xkanát, kanaban 27."
    header, *rows = table(run("--text", text))
    assert header == ["start", "end", *COLUMNS]
    predictions = predictor.predict(["Xkanát", "kanaban", "27"])
    assert [row[:4] for row in rows] == [
        [str(text.index(one.form)), str(text.index(one.form) + len(one.form)), one.form, one.labels[0]]
        for one in predictions
    ]
    assert rows[2][5] == "", "no answer"
    lines = run("--text", "--format", "json", stdin=text.encode()).splitlines()
    assert [[json.loads(line)[name] for name in ("start", "end", "form")] for line in lines] == [
        [int(row[0]), int(row[1]), row[2]] for row in rows
    ]
    assert run("--text", "kanaban", "kanaban").count("kanaban") == 2
    assert run("--text", "").count("\n") == 1
    assert run("--text", text, "--format", "text").count("kanaban") == 1


def test_json_is_an_object_a_line(run: Run, predictor: Predictor) -> None:
    words = [*WORDS, "!"]
    answers = [json.loads(line) for line in run(*words, "--format", "json", "--top-k", 99).splitlines()]
    for answer, prediction in zip(answers, predictor.predict(words, 99), strict=True):
        assert sorted(answer["labels"]) == sorted(predictor.labels), (
            "more labels than there are is all of them"
        )
        assert (answer["form"], answer["labels"]) == (prediction.form, list(prediction.labels))
        assert np.array(answer["probabilities"], np.float32).tolist() == list(prediction.probabilities)
        assert (answer["label_set"], answer["unknown"]) == (prediction.label_set, prediction.unknown)
    assert [answer.get("note") for answer in answers] == [None, None, None, "no known letter"]


@pytest.mark.parametrize("way", ["words", "pipe", "dash", "txt", "tsv", "gz", "parquet", "decomposed"])
def test_a_word_has_the_same_numbers_whichever_way_it_comes_in(
    run: Run, predictor: Predictor, tmp_path: Path, way: str
) -> None:
    lines = "\n".join(WORDS).encode()
    path = tmp_path / {"gz": "words.tsv.gz"}.get(way, f"words.{way}")
    if way == "parquet":
        pq.write_table(pa.table({"form": WORDS}), path)
    else:
        path.write_bytes(gzip.compress(lines) if way == "gz" else lines)
    decomposed = [unicodedata.normalize("NFD", word) for word in WORDS]
    arguments: dict[str, list[object]] = {
        "words": [*WORDS, "--format", "tsv"],
        "decomposed": [*decomposed, "--format", "tsv"],
        "pipe": [],
        "dash": ["--input", "-"],
    }
    header, *rows = table(run(*arguments.get(way, ["--input", path]), "--top-k", 2, stdin=lines))
    assert header == ["form", "label", "probability", "label_2", "probability_2", "label_set", "unknown"]
    for row, prediction in zip(rows, predictor.predict(WORDS, 2), strict=True):
        assert [unicodedata.normalize("NFC", row[0]), row[1], row[3], *row[5:]] == [
            prediction.form, *prediction.labels, prediction.label_set, prediction.unknown,
        ]  # fmt: skip
        assert np.array([row[2], row[4]], np.float32).tolist() == list(prediction.probabilities)


def test_other_columns_of_a_table_stay_before_the_new_ones(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('1\t kanaban \t"quoted\n\n2\tkepből\t a  b\n', "utf-8")
    header, *rows = table(run("--input", path, "--column", 2))
    assert header == ["column_1", "form", "column_3", *COLUMNS[1:]]
    assert [row[:4] for row in rows] == [
        ["1", "kanaban", '"quoted', "IN+ESS"],
        ["2", "kepből", " a  b", "IN+ABL"],
    ]


@pytest.mark.parametrize("ending", ["tsv", "parquet", "txt", "json"])
@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_nothing_in_gives_no_rows_out(run: Run, tmp_path: Path, ending: str, text: bytes) -> None:
    path = tmp_path / f"a.{ending}"
    run("--output", path, stdin=text)
    if ending == "parquet":
        assert (pq.read_table(path).column_names, len(pq.read_table(path))) == (COLUMNS, 0)
    else:
        assert path.read_text() == ("\t".join(COLUMNS) + "\n" if ending == "tsv" else "")


def test_parquet_in_and_out(run: Run, predictor: Predictor, tiny_rows: pa.Table, tmp_path: Path) -> None:
    source, target = tmp_path / "a.parquet", tmp_path / "deep" / "b.parquet"
    words = pa.chunked_array([tiny_rows["form"].combine_chunks().dictionary_encode()])
    pq.write_table(pa.table({"n": range(len(words)), "word": words}), source, row_group_size=20)
    assert run("--input", source, "--column", "word", "--output", target) == ""
    written = pq.read_table(target)
    assert written.column_names == ["n", "word", *COLUMNS[1:]]
    predictions = predictor.predict(words.to_pylist())
    assert written["n"].to_pylist() == list(range(len(words)))
    assert written["label"].to_pylist() == [prediction.labels[0] for prediction in predictions]
    assert written["probability"].to_pylist() == [prediction.probabilities[0] for prediction in predictions]


def test_an_output_may_take_the_place_of_its_input(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("kanaban\n")
    run("--input", path, "--output", path)
    assert path.read_text("utf-8").startswith("kanaban  IN+ESS ")


@pytest.mark.parametrize(
    ("before", "umask", "after"), [(0o600, 0o022, 0o600), (None, 0o077, 0o600), (None, 0o022, 0o644)]
)
def test_an_output_has_the_permissions_of_the_file_it_replaces_or_those_of_the_umask(
    run: Run, tmp_path: Path, before: int | None, umask: int, after: int
) -> None:
    path = tmp_path / "a.tsv"
    if before is not None:
        path.touch(before)
    umask = os.umask(umask)
    try:
        run("kanaban", "--output", path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == after


def test_a_link_and_a_fifo_are_written_through(run: Run, tmp_path: Path) -> None:
    target, link, fifo = tmp_path / "deep/a.tsv", tmp_path / "link.tsv", tmp_path / "fifo.tsv"
    link.symlink_to(target)
    run("kanaban", "--output", link)
    assert link.is_symlink()
    os.mkfifo(fifo)
    received: list[str] = []
    listener = threading.Thread(target=lambda: received.append(fifo.read_text("utf-8")))
    listener.start()
    run("kanaban", "--output", fifo)
    listener.join(20)
    assert received == [target.read_text("utf-8")] == [run("kanaban", "--format", "tsv")]
    assert fifo.is_fifo()
    assert run("kanaban", "--format", "tsv", "--output", "/dev/stdout") == received[0]


def test_a_named_task_or_the_first_is_used(
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


def test_what_tsv_cannot_hold_is_refused(refuse: Run, run: Run, tmp_path: Path) -> None:
    for word in ("a\tb", "a\rb"):
        message = refuse(word, "--format", "tsv")
        assert "column 'form': a tab or line break has no place in TSV" in message
        assert json.loads(run(word, "--format", "json"))["form"] == word
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"form": ["a"], "struct": [{"b": 1}]}), path)
    assert "column 'struct': struct<" in refuse("--input", path)
    run("--input", path, "--output", tmp_path / "b.parquet")


def test_contradictions_are_refused(refuse: Run, tmp_path: Path) -> None:
    assert "expected words or --input, found both" in refuse("a", "--input", "b.txt")
    assert "expected --task or --checkpoint, found both" in refuse("a", "--task", "b")
    assert "expected an ending of format json" in refuse("a", "--format", "json", "--output", "b.tsv")
    assert "expected an ending .txt, .json, .tsv, .parquet, found none" in refuse("a", "--output", "b")
    (tmp_path / "folder.tsv").mkdir()
    assert "cannot be written" in refuse("a", "--output", tmp_path / "folder.tsv")
    assert r"word 1: expected text in UTF-8, found 'ház\udcff'" in refuse("ház\udcff")
    assert "expected 1 label a word or more, found 0" in refuse("a", "--top-k", 0)


def test_a_terminal_is_not_waited_for(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "--checkpoint", str(tiny_checkpoint)])
    assert b"expected words, found none" in capfdbinary.readouterr().err


def test_columns_of_the_input_keep_their_names(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"form": ["borban"], "label": ["x"], "predicted_label": ["y"]}), source)
    run("--input", source, "--output", target)
    written = pq.read_table(target)
    assert written.column_names == [
        *("form", "label", "predicted_label", "predicted_predicted_label"), *COLUMNS[2:]
    ]  # fmt: skip
    assert (
        written.slice(0, 1).to_pylist()[0] | {"label": "x", "predicted_label": "y"} == written.to_pylist()[0]
    )
