from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from esetrag.core import config, tables
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import BOS, EOS, SPECIAL
from esetrag.tasks import pair_baselines
from esetrag.tasks.pair import Pair

ROWS = tables.sample(
    ["fa", "fa", "ég"],
    ["fa\tfát", "fa\tfat", "ég\téget"],
    ["N;ACC;SG", "N;ACC;SG", "N;ACC;SG"],
    ["right", "wrong", "right"],
)
BARE = ROWS.set_column(2, "features", pa.nulls(3, pa.string()))


def options(unit: str = "char") -> config.BuildVocab:
    return config.BuildVocab.model_validate({"unit": unit, "merges": 2, "min_count": 1})


def test_the_vocabulary_has_letters_separator_and_features() -> None:
    made = Pair().vocabulary([ROWS], options())
    assert made.symbols == (*SPECIAL, "\t", *"aefgtáé")
    assert made.labels == ("right", "wrong")
    assert made.features == ("ACC", "N", "SG")
    assert made.bundles == ("N;ACC;SG",)
    assert made.reads_pairs


def test_features_stand_before_the_first_text() -> None:
    made = Pair().vocabulary([ROWS], options())
    ids = Pair().encode(ROWS, made, 14, "end").ids[0].tolist()
    values = [len(made.symbols) + made.features.index(value) for value in ("N", "ACC", "SG")]
    f, a, á, t = (made.ids[letter] for letter in "faát")
    assert ids == [BOS, *values, f, a, made.ids["\t"], f, á, t, EOS, 0, 0, 0]


def test_words_of_two_sentences_are_symbols() -> None:
    rows = tables.sample([None], ["a red cat\tthe cat"], [None], ["same"])
    made = Pair().vocabulary([rows], options("word"))
    assert made.symbols[len(SPECIAL) :] == ("\t", "a", "cat", "red", "the")
    ids, lengths = encoding.encode(Pair().texts(rows, made), made, 20, "end")
    assert ids[0, : lengths[0]].tolist() == [BOS, 5, 7, 6, 4, 8, 6, EOS]
    assert made.unknown("a blue cat\tthe dog") == "blue dog"


def test_subwords_do_not_cross_the_separator() -> None:
    rows = tables.sample([None] * 3, ["ab\tab"] * 3, [None] * 3, ["same"] * 3)
    made = Pair().vocabulary([rows], options("bpe"))
    assert made.symbols[len(SPECIAL) :] == ("\t", "a", "ab", "b")
    ids, _ = encoding.encode(Pair().texts(rows, made), made, 20, "end")
    assert ids[0, :5].tolist() == [BOS, made.ids["ab"], made.ids["\t"], made.ids["ab"], EOS]


def test_baselines_see_features_and_what_the_texts_do_not_share() -> None:
    endings = {"N;DAT;SG": ("nak", "ban"), "N;IN+ESS;SG": ("ban", "nak")}
    rows: list[tuple[Any, ...]] = [
        (stem, f"{stem}\t{stem}{ending}", bundle, label)
        for stem in ("fa", "ga", "haha", "kakata")
        for bundle, pair in endings.items()
        for label, ending in zip(("right", "wrong"), pair, strict=True)
    ]
    table = tables.sample(*map(list, zip(*rows, strict=True)))
    asked = table.set_column(1, "form", Pair().asked(table))
    trained = pair_baselines.train(asked, ("right", "wrong"))
    assert tuple(trained) == pair_baselines.NAMES
    test = pa.chunked_array([["la\tlanak\tN;DAT;SG", "la\tlanak\tN;IN+ESS;SG"]])
    assert trained["differing_endings"](test).argmax(1).tolist() == [0, 1]
    for name in ("similarity", "majority"):
        assert np.ptp(trained[name](test), axis=0).max() < 1e-6
