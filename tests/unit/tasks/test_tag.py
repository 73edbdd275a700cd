from __future__ import annotations

import numpy as np
import torch

from esetrag.core.config import BuildVocab
from esetrag.data import change, label_sets
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Keep
from esetrag.symbols.vocabulary import BOS, EOS, SPECIAL, UNK, Vocabulary
from esetrag.tasks import tag_evaluation
from esetrag.tasks.tag import Tag
from esetrag.tasks.transduce_evaluation import Ranked
from tests.samples import column, table

ROWS = table([("ház", "házak", "stem:ház|number:ak"), ("fél", "felez", "fél|ez"), ("a", "a", "stem:a/a")])
OPTIONS = BuildVocab(unit="char", merges=0, min_count=1)
VOCABULARY = Tag().vocabulary([ROWS.slice(0, 2), ROWS.slice(2)], OPTIONS)


def test_the_vocabulary_has_letters_and_tags() -> None:
    assert VOCABULARY.symbols == (*SPECIAL, *"aefhklzá")
    assert VOCABULARY.labels == ("=", "|=", "|number:=", "|stem:=", "é")
    assert VOCABULARY.writes_tags
    assert not VOCABULARY.writes_edits
    assert not Vocabulary((*SPECIAL, "a"), ("a", "|")).writes_tags  # letters


def test_each_letter_has_a_tag() -> None:
    encoded = Tag().encode(ROWS, VOCABULARY, 7, "end")
    tags = ("|stem:=", "|number:=", "|=", "=", "é")
    stem, number, begin, same, e = (len(SPECIAL) + VOCABULARY.labels.index(tag) for tag in tags)
    assert encoded.targets.tolist() == [
        [stem, same, same, number, same, EOS],
        [begin, e, same, begin, same, EOS],
        [stem, EOS, 0, 0, 0, 0],
    ]
    assert encoded.ids[2, :3].tolist() == [BOS, VOCABULARY.ids["a"], EOS]


def test_tags_stay_beside_their_letters_in_a_cut_word() -> None:
    ends: list[tuple[Keep, slice]] = [("end", slice(2, 5)), ("start", slice(0, 3))]
    for keep, kept in ends:
        encoded = Tag().encode(ROWS, VOCABULARY, 5, keep)
        whole = Tag().encode(ROWS, VOCABULARY, 7, keep)
        assert encoded.targets[0].tolist() == [*whole.targets[0, kept], EOS]
        assert encoded.ids[0, 1:4].tolist() == whole.ids[0, 1:-1][kept].tolist()


def test_unknown_tags_are_counted_and_have_no_id() -> None:
    rows = table([("a", "ab", "a|bc"), ("a", "ab", "a|b")])
    assert Tag().unseen(rows, VOCABULARY) == {"|=c": 1}
    assert Tag().encode(rows, VOCABULARY, 5, "end").targets[0, 1] == UNK
    assert tag_evaluation.expressible(rows, VOCABULARY).tolist() == [False, True]


def test_scores_are_of_words_segments_and_letters() -> None:
    rows = table([("ház", "házak", "stem:ház|number:ak"), ("fél", "felez", "fél|ez")])
    made = np.array([["stem:ház|number:ak", ""], ["fel|ez", "fél|ez"]])
    scores = tag_evaluation.scores_of(rows, Ranked(made, np.ones((2, 2), np.float32)))
    values = {name: ratio.value for name, ratio in scores.items()}
    assert values == {"accuracy": 0.5, "f1": 0.75, "tag_accuracy": 0.9, "in_candidates": 1.0}


def test_baselines_split_what_ends_alike_and_tag_letters_as_most_often() -> None:
    train = table(
        [(stem, stem, f"stem:{stem}") for stem in ("aba", "ada", "oga", "in")]
        + [(stem, stem + "n", f"stem:{stem}|case:n") for stem in ("aba", "ada", "oga")]
    )
    vocabulary = Tag().vocabulary([train], OPTIONS)
    encoded = Tag().encode(train, vocabulary, 6, "end")
    forms = column(["ubadagan", "uda", "in", "n"])
    ids, lengths = encoding.encode(forms, vocabulary, 12, "end")
    test = Batch.of(encoding.Encoded.unlabelled(ids, lengths, 1), torch.device("cpu"))
    made = tag_evaluation.baselines(train, encoded, test, change.words(forms), vocabulary)
    assert made["longest_suffix_split"].words[:3, 0].tolist() == [
        "stem:ubadaga|case:n",
        "stem:uda",
        "stem:in",
    ]
    by_letter = ["stem:ubadaga|case:n", "stem:uda", "stem:i|case:n", "case:n"]
    assert made["frequent_tags"].words[:, 0].tolist() == by_letter
    assert all((ranked.shares <= 1).all() and (ranked.shares > 0).all() for ranked in made.values())


def test_f1_is_that_of_the_right_segmentation_that_was_found() -> None:
    labels = column([label_sets.join(["ab", "a|b"])] * 2)
    assert tag_evaluation.f1(labels, column(["a|b", "ab"])).value == 1
