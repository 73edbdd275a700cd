from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.symbols import encoded_parts, encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Unit, Vocabulary
from esetrag.tasks.classify import Classify
from tests.samples import column, table

LETTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("aábőz\u0301\u030b\u0308\U0001f600\U00010348\0\u2028"),
)
FORMS = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=12)
KEEPS = st.sampled_from(["end", "start"])


def one_by_one(form: str, vocabulary: Vocabulary, width: int, keep: Keep) -> list[int]:
    """The ids of a form, symbol by symbol."""
    room = width - 2
    kept = form if len(form) <= room else form[:room] if keep == "start" else form[len(form) - room :]
    known = {symbol: i for i, symbol in enumerate(vocabulary.symbols) if i >= len(SPECIAL)}
    known |= {capital: known[small] for capital, small in vocabulary.capitals.items()}
    ids = [BOS, *(known.get(symbol, UNK) for symbol in kept), EOS]
    return ids + [PAD] * (width - len(ids))


@given(forms=FORMS, known=FORMS, width=st.integers(2, 16), keep=KEEPS)
def test_any_width_and_either_end_equal_encoding_symbol_by_symbol(
    forms: list[str], known: list[str], width: int, keep: Keep
) -> None:
    vocabulary = Vocabulary.build(known, ["X"])
    ids, lengths = encoding.encode(column(forms), vocabulary, width, keep)
    assert ids.tolist() == [one_by_one(form, vocabulary, width, keep) for form in forms]
    assert lengths.tolist() == [min(len(form), width - 2) + 2 for form in forms]


@given(forms=FORMS, cuts=st.lists(st.integers(0, 12), max_size=4), keep=KEEPS)
def test_slices_and_chunks_of_the_column_are_without_influence(
    forms: list[str], cuts: list[int], keep: Keep
) -> None:
    vocabulary = Vocabulary.build(forms[::2], ["X"])
    whole = pa.array(["before", *forms, "after"], pa.string()).slice(1, len(forms))
    edges = [0, *sorted(min(cut, len(forms)) for cut in cuts), len(forms)]
    pieces = [whole.slice(low, high - low) for low, high in pairwise(edges)]
    expected = encoding.encode(column(forms), vocabulary, 8, keep)
    for forms_in_chunks in (pa.chunked_array([whole]), pa.chunked_array(pieces)):
        ids, lengths = encoding.encode(forms_in_chunks, vocabulary, 8, keep)
        assert ids.tolist() == expected[0].tolist()
        assert lengths.tolist() == expected[1].tolist()


def test_one_endless_form_does_not_make_all_rows_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    forms, vocabulary = column(["a" * 98, *"abc" * 10]), Vocabulary.build(["abc"], ["x"])
    monkeypatch.setattr(encoding, "LARGEST", 3000)
    with pytest.raises(DataError, match=r"^31 rows of 100 symbols each .* set encode_pad\.max_symbols"):
        encoding.encode(forms, vocabulary, encoding.width_of(forms, None), "end")
    encoding.encode(forms, vocabulary, encoding.width_of(forms, 10), "end")


def test_unknown_symbols_have_an_id_and_padding_is_behind() -> None:
    vocabulary = Vocabulary.build(["ab"], ["X"])
    ids, lengths = encoding.encode(column(["a?b", "", "\U0001f600"]), vocabulary, 6, "end")
    assert ids.tolist() == [
        [BOS, 4, UNK, 5, EOS, PAD],
        [BOS, EOS, PAD, PAD, PAD, PAD],
        [BOS, UNK, EOS, PAD, PAD, PAD],
    ]
    assert lengths.tolist() == [5, 2, 3]


@given(forms=FORMS, known=FORMS, width=st.integers(2, 16), keep=KEEPS)
def test_subwords_of_any_width_and_either_end(
    forms: list[str], known: list[str], width: int, keep: Keep
) -> None:
    vocabulary = Vocabulary.build([*known, "abab"], ["X"], unit="bpe", merges=5)
    ids, lengths = encoding.encode(column(forms), vocabulary, width, keep)
    for form, row, length in zip(forms, ids.tolist(), lengths.tolist(), strict=True):
        parts, _ = vocabulary.segmenter([form])
        room = min(len(parts), width - 2)
        kept = parts[:room] if keep == "start" else parts[len(parts) - room :]
        assert row == [BOS, *kept.tolist(), EOS] + [PAD] * (width - room - 2)
        assert length == room + 2


def test_a_whole_form_is_one_symbol_and_an_unseen_one_is_unknown() -> None:
    vocabulary = Vocabulary.build(["ab", "a"], ["X"], unit="word")
    ids, lengths = encoding.encode(column(["ab", "b", "", "a"]), vocabulary, 4, "end")
    assert ids.tolist() == [[BOS, symbol, EOS, PAD] for symbol in (5, UNK, UNK, 4)]
    assert lengths.tolist() == [3] * 4


@pytest.mark.parametrize(("max_symbols", "expected"), [(None, 7), (3, 5), (5, 7), (99, 7)])
def test_the_width_is_that_of_the_longest_form_unless_limited(max_symbols: int | None, expected: int) -> None:
    assert encoding.width_of(column(["a", "b\u0301őzé", ""]), max_symbols) == expected


def test_rows_are_encoded_with_labels_and_weights() -> None:
    vocabulary = Vocabulary.build(["a"], ["NOM", "ACC"])
    labels = ["NOM", "GEN", "ACC", "ACC/NOM", "ACC/GEN"]
    rows = table([("l", "a", label) for label in labels], [1, 2, 0.5, 1, 1])
    encoded = encoding.encode_rows(rows, vocabulary, 3, "start")
    assert encoded.ids.tolist() == [[BOS, 4, EOS]] * 5
    assert encoded.targets.tolist() == [
        [False, True],
        [False, False],
        [True, False],
        [True, True],
        [True, False],
    ]
    assert encoded.weights.tolist() == [1, 2, 0.5, 1, 1]
    assert (encoded.keep, len(encoded)) == ("start", 5)


@pytest.mark.parametrize(
    ("forms", "unit", "width", "expected"),
    [
        (["abab", "xay", "axt"], "char", 5, (1, {"x": 2, "y": 1})),
        (["abt", "b"], "word", 7, (0, {"<UNK>": 1})),
        (["abt", "abtx"], "bpe", 3, (1, {"x": 1})),  # abt, abt + x
    ],
)
def test_a_part_is_encoded_with_a_summary_of_what_is_lost(
    tmp_path: Path, forms: list[str], unit: Unit, width: int, expected: tuple[int, dict[str, int]]
) -> None:
    vocabulary = Vocabulary.build(["abt", "abt"], ["NOM", "ACC"], unit=unit, merges=9)
    labels, task = ["NOM", "DAT/GEN/NOM", "GEN"][: len(forms)], Classify()
    rows = table([(None, form, label) for form, label in zip(forms, labels, strict=True)])
    tables.write(tmp_path / "rows", rows)
    assert encoded_parts.shape_of(tmp_path / "rows", vocabulary, task, None)[:2] == (
        len(forms),
        max(map(len, forms)) + 2,
    )
    summary = encoded_parts.encode_part(tmp_path / "rows", tmp_path / "ids", vocabulary, task, width, "end")
    assert summary == {
        "rows": len(forms),
        "cut_forms": expected[0],
        "unknown_symbols": expected[1],
        "unseen_labels": {"DAT": 1, "GEN": len(forms) - 1},
    }
    ids, _ = encoding.encode(rows["form"], vocabulary, width, "end")
    assert encoding.read(tmp_path / "ids", vocabulary).ids.tolist() == ids.tolist()


def vocabulary_of(size: int) -> Vocabulary:
    characters = [chr(0x4E00 + i) for i in range(size - len(SPECIAL))]
    return Vocabulary((*SPECIAL, *characters), ("NOM",))


@pytest.mark.parametrize(
    ("symbols", "kind"), [(5, "u1"), (256, "u1"), (257, "<u2"), (3000, "<u2"), (65537, "<u4")]
)
def test_ids_are_stored_side_by_side_in_the_narrowest_type(tmp_path: Path, symbols: int, kind: str) -> None:
    vocabulary, path = vocabulary_of(symbols), tmp_path / "encoded.parquet"
    form = vocabulary.symbols[4] + vocabulary.symbols[-1]
    ids, lengths = encoding.encode(column([form, ""]), vocabulary, 6, "end")
    encoding.write(path, Encoded.unlabelled(ids, lengths, 1), symbols)
    (first, _) = pq.read_table(path)["ids"].to_pylist()
    assert np.frombuffer(first, kind).tolist() == [BOS, 4, symbols - 1, EOS, PAD, PAD]
    assert encoding.read(path, vocabulary).ids.tolist() == [
        [BOS, 4, symbols - 1, EOS, PAD, PAD],
        [1, 2, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("keep", ["end", "start"])
@pytest.mark.parametrize("rows", [0, 1, 84])
def test_encoded_rows_survive_their_file(
    tmp_path: Path, tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, keep: Keep, rows: int
) -> None:
    written = encoding.encode_rows(tiny_rows.slice(0, rows), tiny_vocabulary, 7, keep)
    path = tmp_path / "encoded.parquet"
    encoding.write(path, written, len(tiny_vocabulary.symbols))
    read = encoding.read(path, tiny_vocabulary)
    assert read.ids.shape == (rows, 7)
    assert read.keep == keep
    for name in ("ids", "lengths", "targets", "weights"):
        loaded, expected = getattr(read, name), getattr(written, name)
        assert loaded.dtype == expected.dtype
        assert loaded.tolist() == expected.tolist()


def test_the_same_rows_give_the_same_bytes(
    tmp_path: Path, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary
) -> None:
    paths = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for path in paths:
        encoding.write(path, tiny_encoded, len(tiny_vocabulary.symbols))
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("ids", "length", "targets"),
    [
        ([1, 6, 2], 3, [True, False]),
        ([1, 255, 2], 3, [True, False]),
        ([1, 4, 2], 4, [True, False]),
        ([1, 4, 2], 1, [True, False]),
        ([1, 4, 2], 3, [False, False, True]),
        ([1, 4, 2], 3, [True, True, False, False, False, False, False, True]),
    ],
)
def test_ids_or_lengths_beyond_the_vocabulary_are_refused(
    tmp_path: Path, ids: list[int], length: int, targets: list[bool]
) -> None:
    vocabulary, path = Vocabulary.build(["ab"], ["NOM", "ACC"]), tmp_path / "encoded.parquet"
    rows = Encoded(
        np.array([[1, 4, 2], ids], np.uint8),
        np.array([3, length], np.uint16),
        np.array([[False] * len(targets), targets]),
        np.ones(2, np.float32),
    )
    encoding.write(path, rows, len(vocabulary.symbols))
    with pytest.raises(DataError) as caught:
        encoding.read(path, vocabulary)
    assert str(caught.value) == f"{path}: ids or lengths beyond its vocabulary; make it anew: dvc repro -f"


@pytest.mark.parametrize("labels", [1, 7, 8, 9, 16, 17, 40])
def test_any_number_of_labels_is_stored_in_a_bit_each(tmp_path: Path, labels: int) -> None:
    names = [f"V{number:02}" for number in range(labels)]
    vocabulary, path = Vocabulary.build(["ab"], names), tmp_path / "encoded.parquet"
    ids, lengths = encoding.encode(column(["ab"] * 30), vocabulary, 4, "end")
    targets = np.random.default_rng(labels).random((30, labels)) < 0.5
    targets[:2] = [[True], [False]]
    encoding.write(path, Encoded(ids, lengths, targets, np.ones(30, np.float32)), len(vocabulary.symbols))
    assert {len(bits) for bits in pq.read_table(path)["targets"].to_pylist()} == {(labels + 7) // 8}
    read = encoding.read(path, vocabulary).targets
    assert read.dtype == bool
    assert read.tolist() == targets.tolist()


@pytest.mark.parametrize("named", [8, 17])
def test_rows_of_more_or_fewer_labels_than_the_vocabulary_names_are_refused(
    tmp_path: Path, named: int
) -> None:
    path = tmp_path / "encoded.parquet"
    vocabulary = Vocabulary.build(["ab"], [f"V{number:02}" for number in range(named)])
    ids, lengths = encoding.encode(column(["ab"]), vocabulary, 4, "end")
    encoding.write(path, Encoded.unlabelled(ids, lengths, 9), len(vocabulary.symbols))
    with pytest.raises(DataError, match=r"expected columns .*, found .*fixed_size_binary\[2\]"):
        encoding.read(path, vocabulary)


def test_a_table_of_other_columns_is_refused(tmp_path: Path, tiny_rows: pa.Table) -> None:
    lists = {"ids": pa.array([[1, 2], [1, 4, 2]], pa.list_(pa.uint8())), "length": [2, 3]}
    for rows in (tiny_rows, pa.table(lists)):
        tables.write(tmp_path / "encoded.parquet", rows)
        with pytest.raises(DataError, match=r"expected columns ids: fixed_size_binary.*, found "):
            encoding.read(tmp_path / "encoded.parquet", Vocabulary.build(["a"], ["NOM"]))
