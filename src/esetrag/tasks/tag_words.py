"""The kind ``tag`` of words: a tag for each word of a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config
from esetrag.data import sentences
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import FEATURE, IGNORED, MOST_WORDS, SPECIAL, UNK, Vocabulary


@dataclass(frozen=True)
class TagWords:
    """See ``base.Task``. A row's form is a sentence, its label the tags (``data.sentences``)."""

    entry: config.SentencesTask | None = None
    cuts: bool = False

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """The letters and words that are read, and the tags."""
        words, tags = Counter[str](), set[str]()
        for rows in batches:
            for each in pc.value_counts(sentences.words(rows["form"])[0]).to_pylist():
                words[each["values"]] += each["counts"]
            tags.update(pc.unique(sentences.tags(rows["label"])[0]).to_pylist())
        letters = Counter[str]()
        for word, count in words.items():
            letters.update(dict.fromkeys(word, count))
        kept = {letter for letter, count in letters.items() if count >= options.min_count}
        known = [word for word, count in words.most_common(MOST_WORDS) if count >= options.min_count]
        symbols = (*SPECIAL, *sorted(kept | {sentences.SPACE}))
        return Vocabulary(symbols, tuple(sorted(tags - {sentences.NONE})), words=tuple(sorted(known)))

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:
        """The sentences, with the symbol of each word in front of its letters."""
        return marked(rows["form"], vocabulary)

    def encode(
        self,
        rows: pa.Table,
        vocabulary: Vocabulary,
        width: int,
        keep: Keep,
        steps: int = 0,  # noqa: ARG002
    ) -> Encoded:
        """Words with their letters, and tags, as ids."""
        ids, lengths = encoding.encode(marked(rows["form"], vocabulary), vocabulary, width, keep)
        tags, counts = sentences.tags(rows["label"])
        place = pc.fill_null(pc.index_in(tags, value_set=pa.array(vocabulary.labels, pa.string())), -1)
        numbers = np.where(place.to_numpy() < 0, UNK, place.to_numpy() + len(SPECIAL))
        asked = pc.not_equal(tags, sentences.NONE).to_numpy(zero_copy_only=False)
        numbers = np.where(asked, numbers, IGNORED).astype(np.uint16)
        # A word takes two symbols at least, its own and a letter.
        targets, _ = encoding.padded(numbers, counts, width // 2 + encoding.MARKS, keep)
        return Encoded(ids, lengths, np.ascontiguousarray(targets[:, 1:]), rows["weight"].to_numpy(), keep)

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """Words with a tag that training does not have."""
        counts = pc.value_counts(sentences.tags(rows["label"])[0]).to_pylist()
        known = {*vocabulary.labels, sentences.NONE}
        return {each["values"]: each["counts"] for each in counts if each["values"] not in known}


def marked(forms: pa.ChunkedArray, vocabulary: Vocabulary) -> pa.ChunkedArray:
    """Sentences in which each known word has a symbol of its own in front, each other one a space."""
    words, counts = sentences.words(forms)
    words = pc.replace_substring_regex(
        words, "[\U00100000-\U0010ffff]", "\ufffd"
    )  # where symbols of words are
    marks = [*(chr(FEATURE + number) for number in range(len(vocabulary.words))), sentences.SPACE]
    known = pa.array(vocabulary.words, pa.string())
    place = pc.fill_null(pc.index_in(words, value_set=known), len(known))
    texts = pc.binary_join_element_wise(pa.array(marks, pa.string()).take(place), words, "")
    return pa.chunked_array([sentences.joined(texts, counts, "")])
