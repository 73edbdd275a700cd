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
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary

LETTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("aábőz\u0301\u030b\u0308\U0001f600\U00010348\0\u2028"),
)
FORMS = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=12)
KEEPS = st.sampled_from(["end", "start"])


def chunked(forms: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(forms, pa.string())])


def one_by_one(form: str, vocabulary: Vocabulary, width: int, keep: Keep) -> list[int]:
    """The ids of a form, symbol by symbol."""
    room = width - 2
    kept = form if len(form) <= room else form[:room] if keep == "start" else form[len(form) - room :]
    known = {symbol: i for i, symbol in enumerate(vocabulary.symbols) if i >= len(SPECIAL)}
    known |= {capital: known[small] for capital, small in vocabulary.capitals.items()}
    ids = [BOS, *(known.get(symbol, UNK) for symbol in kept), EOS]
    return ids + [PAD] * (width - len(ids))


def decode(ids: list[int], length: int, vocabulary: Vocabulary) -> str:
    return "".join(vocabulary.symbols[i] for i in ids[1 : length - 1])


@given(FORMS)
def test_known_symbols_come_back_whatever_the_script(forms: list[str]) -> None:
    vocabulary = Vocabulary.build(forms, ["X"])
    ids, lengths = encoding.encode(chunked(forms), vocabulary, encoding.width_of(chunked(forms), None), "end")
    read = [
        decode(row, length, vocabulary) for row, length in zip(ids.tolist(), lengths.tolist(), strict=True)
    ]
    assert read == forms


@given(forms=FORMS, known=FORMS, width=st.integers(2, 16), keep=KEEPS)
def test_any_width_and_either_end_equal_encoding_symbol_by_symbol(
    forms: list[str], known: list[str], width: int, keep: Keep
) -> None:
    vocabulary = Vocabulary.build(known, ["X"])
    ids, lengths = encoding.encode(chunked(forms), vocabulary, width, keep)
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
    expected = encoding.encode(chunked(forms), vocabulary, 8, keep)
    for column in (pa.chunked_array([whole]), pa.chunked_array(pieces)):
        ids, lengths = encoding.encode(column, vocabulary, 8, keep)
        assert ids.tolist() == expected[0].tolist()
        assert lengths.tolist() == expected[1].tolist()


def test_the_end_of_a_long_form_is_read_or_its_start() -> None:
    vocabulary = Vocabulary.build(["abcdef"], ["X"])
    a, b, c, d, e, f = range(4, 10)
    for keep, expected in (("end", [BOS, d, e, f, EOS]), ("start", [BOS, a, b, c, EOS])):
        ids, lengths = encoding.encode(chunked(["abcdef"]), vocabulary, 5, keep)  # type: ignore[arg-type]
        assert ids.tolist() == [expected]
        assert lengths.tolist() == [5]


def test_one_endless_form_does_not_make_all_rows_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    forms, vocabulary = chunked(["a" * 98, *"abc" * 10]), Vocabulary.build(["abc"], ["x"])
    monkeypatch.setattr(encoding, "LARGEST", 3000)
    with pytest.raises(DataError, match=r"^31 rows of 100 symbols each .* set encode_pad\.max_symbols"):
        encoding.encode(forms, vocabulary, encoding.width_of(forms, None), "end")
    encoding.encode(forms, vocabulary, encoding.width_of(forms, 10), "end")


def test_unknown_symbols_are_read_as_unknown_and_padding_stands_behind() -> None:
    vocabulary = Vocabulary.build(["ab"], ["X"])
    ids, lengths = encoding.encode(chunked(["a?b", "", "\U0001f600"]), vocabulary, 6, "end")
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
    ids, lengths = encoding.encode(chunked(forms), vocabulary, width, keep)
    for form, row, length in zip(forms, ids.tolist(), lengths.tolist(), strict=True):
        parts, _ = vocabulary.segmenter([form])
        room = min(len(parts), width - 2)
        kept = parts[:room] if keep == "start" else parts[len(parts) - room :]
        assert row == [BOS, *kept.tolist(), EOS] + [PAD] * (width - room - 2)
        assert length == room + 2


def test_a_whole_form_is_one_symbol_and_an_unseen_one_is_unknown() -> None:
    vocabulary = Vocabulary.build(["ab", "a"], ["X"], unit="word")
    ids, lengths = encoding.encode(chunked(["ab", "b", "", "a"]), vocabulary, 4, "end")
    assert ids.tolist() == [[BOS, symbol, EOS, PAD] for symbol in (5, UNK, UNK, 4)]
    assert lengths.tolist() == [3] * 4


def test_text_that_spells_a_special_symbol_is_text() -> None:
    vocabulary = Vocabulary.build(["<PAD>"], ["X"])
    ids, _ = encoding.encode(chunked(["<PAD>"]), vocabulary, 7, "end")
    assert min(ids[0, 1:6].tolist()) >= len(SPECIAL)


@pytest.mark.parametrize(("max_symbols", "expected"), [(None, 7), (3, 5), (5, 7), (99, 7)])
def test_the_width_is_that_of_the_longest_form_unless_limited(max_symbols: int | None, expected: int) -> None:
    assert encoding.width_of(chunked(["a", "b\u0301őzé", ""]), max_symbols) == expected


def test_every_value_of_a_label_is_a_target_and_those_unseen_in_training_are_none() -> None:
    vocabulary = Vocabulary.build(["a"], ["NOM", "ACC"])
    labels = ["NOM", "GEN", "ACC", "", "ACC/NOM", "ACC/GEN"]
    columns = (["l"] * 6, ["a"] * 6, ["N"] * 6, labels)
    rows = tables.sample(*columns)
    targets = encoding.encode_rows(rows, vocabulary, 3, "end").targets
    assert targets.dtype == bool
    assert targets.tolist() == [
        [False, True], [False, False], [True, False], [False, False], [True, True], [True, False],
    ]  # fmt: skip


def test_rows_are_encoded_with_their_labels(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> None:
    encoded = encoding.encode_rows(tiny_rows, tiny_vocabulary, 7, "start")
    forms, labels = tiny_rows["form"].to_pylist(), tiny_rows["label"].to_pylist()
    assert encoded.ids.tolist() == [one_by_one(form, tiny_vocabulary, 7, "start") for form in forms]
    assert [tiny_vocabulary.labels[i] for i in encoded.targets.argmax(1)] == labels
    assert encoded.targets.sum(1).tolist() == [1] * len(tiny_rows)
    assert encoded.keep == "start"
    assert len(encoded) == len(tiny_rows)


def test_the_account_tells_what_the_reader_cannot_see(tiny_rows: pa.Table) -> None:
    vocabulary = Vocabulary.build(["abt"], ["NOM", "ACC"])
    columns = (["l"] * 3, ["abab", "xay", "axt"], ["N"] * 3, ["NOM", "DAT/GEN/NOM", "GEN"])
    rows = tables.sample(*columns)
    assert encoded_parts.account(rows, vocabulary, width=5) == {
        "rows": 3,
        "cut_forms": 1,
        "unknown_symbols": {"x": 2, "y": 1},
        "unseen_labels": {"DAT": 1, "GEN": 2},
    }


def test_the_account_of_other_units(tiny_rows: pa.Table) -> None:
    rows = tiny_rows.slice(0, 2)  # kana, kanat
    whole = Vocabulary.build(["kana"], ["NOM", "ACC"], unit="word")
    account = encoded_parts.account(rows, whole, width=7)
    assert (account["cut_forms"], account["unknown_symbols"]) == (0, {"<UNK>": 1})
    merged = Vocabulary.build(["kana", "kana"], ["NOM", "ACC"], unit="bpe", merges=9)
    account = encoded_parts.account(rows, merged, width=3)  # kana, kana + t
    assert (account["cut_forms"], account["unknown_symbols"]) == (1, {"t": 1})


def vocabulary_of(size: int) -> Vocabulary:
    characters = [chr(0x4E00 + i) for i in range(size - len(SPECIAL))]
    return Vocabulary((*SPECIAL, *characters), ("NOM",))


@pytest.mark.parametrize(
    ("symbols", "kind"), [(5, "u1"), (256, "u1"), (257, "<u2"), (3000, "<u2"), (65537, "<u4")]
)
def test_ids_are_stored_side_by_side_in_the_narrowest_type(tmp_path: Path, symbols: int, kind: str) -> None:
    vocabulary, path = vocabulary_of(symbols), tmp_path / "encoded.parquet"
    form = vocabulary.symbols[4] + vocabulary.symbols[-1]
    ids, lengths = encoding.encode(chunked([form, ""]), vocabulary, 6, "end")
    written = Encoded(ids, lengths, np.array([[True], [False]]))
    encoding.write(path, written, symbols)
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
    for name in ("ids", "lengths", "targets"):
        column, expected = getattr(read, name), getattr(written, name)
        assert column.dtype == expected.dtype
        assert column.tolist() == expected.tolist()


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
    )
    encoding.write(path, rows, len(vocabulary.symbols))
    with pytest.raises(DataError) as caught:
        encoding.read(path, vocabulary)
    assert str(caught.value) == f"{path}: ids or lengths beyond its vocabulary; make it anew: dvc repro -f"


def test_the_same_ids_are_read_with_a_vocabulary_that_has_them(tmp_path: Path) -> None:
    path = tmp_path / "encoded.parquet"
    rows = Encoded(np.array([[1, 6, 2]], np.uint8), np.array([3], np.uint16), np.array([[False]]))
    encoding.write(path, rows, 7)
    assert encoding.read(path, Vocabulary.build(["abc"], ["NOM"])).ids.tolist() == [[1, 6, 2]]


@pytest.mark.parametrize("labels", [1, 7, 8, 9, 16, 17, 40])
def test_any_number_of_labels_is_stored_in_a_bit_each(tmp_path: Path, labels: int) -> None:
    names = [f"V{number:02}" for number in range(labels)]
    vocabulary, path = Vocabulary.build(["ab"], names), tmp_path / "encoded.parquet"
    ids, lengths = encoding.encode(chunked(["ab"] * 30), vocabulary, 4, "end")
    targets = np.random.default_rng(labels).random((30, labels)) < 0.5
    targets[:2] = [[True], [False]]
    encoding.write(path, Encoded(ids, lengths, targets), len(vocabulary.symbols))
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
    ids, lengths = encoding.encode(chunked(["ab"]), vocabulary, 4, "end")
    encoding.write(path, Encoded(ids, lengths, np.ones((1, 9), bool)), len(vocabulary.symbols))
    with pytest.raises(DataError, match=r"expected columns .*, found .*fixed_size_binary\[2\]"):
        encoding.read(path, vocabulary)


def test_a_table_of_other_columns_is_refused(tmp_path: Path, tiny_rows: pa.Table) -> None:
    path = tmp_path / "encoded.parquet"
    tables.write(path, tiny_rows)
    with pytest.raises(
        DataError, match=r"expected columns ids: .*, length: uint16, targets: .*\[1\], found lemma: "
    ):
        encoding.read(path, Vocabulary.build(["a"], ["NOM"]))


def test_rows_of_different_widths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoded.parquet"
    columns = {"ids": pa.array([[1, 2], [1, 4, 2]], pa.list_(pa.uint8())), "length": [2, 3]}
    tables.write(path, pa.table(columns))
    with pytest.raises(DataError, match="expected columns ids: fixed_size_binary"):
        encoding.read(path, Vocabulary.build(["a"], ["NOM"]))
