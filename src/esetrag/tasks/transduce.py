"""The kind ``transduce``: a word written for a word, with or without features, as letters or as edits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, features
from esetrag.data import edits, label_sets, segments
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import FEATURE, SPECIAL, Vocabulary, edges_of, ends_of

Words = npt.NDArray[np.str_]
Ids = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Transduce:
    """See ``base.Task``. A row's ``form`` is the word that is given, its label the words that are right."""

    entry: config.InflectionTask | config.SequencesTask
    cuts: bool = False

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """The letters that are read, the values of the features, and the symbols that are written."""
        letters, bundles, written, ends = Counter[str](), set[str](), set[str](), set[tuple[str, str]]()
        for rows in batches:
            words = rows["form"].to_pylist()
            letters.update("".join(words))
            ends |= ends_of(words)
            if "features" in self.entry.cell:
                bundles.update(pc.unique(rows["features"]).drop_null().to_pylist())
            written.update("".join(pc.unique(self._outputs(rows)).to_pylist()))
        kept = sorted(letter for letter, count in letters.items() if count >= options.min_count)
        labels = sorted(map(edits.name_of, written))
        values = sorted({value for bundle in bundles for value in features.all_tags(bundle)})
        inputs, edges, known = (*SPECIAL, *kept), edges_of(ends), tuple(sorted(bundles))
        return Vocabulary(inputs, tuple(labels), edges=edges, features=tuple(values), bundles=known)

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:
        """The values of the features, each as one symbol, then the letters of the word."""
        return with_features(rows["form"], rows["features"], vocabulary)

    def encode(self, rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep, steps: int) -> Encoded:
        """What is read and what is written as ids; of several right words training shows the first."""
        ids, lengths = encoding.encode(self.texts(rows, vocabulary), vocabulary, width, keep)
        targets, _ = encoding.encode(self._outputs(rows), vocabulary.output, steps + 1, "start")
        weights = rows["weight"].to_numpy()
        return Encoded(ids, lengths, targets[:, 1:].astype(np.uint16), weights, keep)

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """Rows with a value of a feature, or with a change, that training does not have."""
        counts = Counter[str]()
        for bundle in rows["features"].drop_null().value_counts().to_pylist() if vocabulary.features else ():
            missing = {*features.all_tags(bundle["values"])} - {*vocabulary.features}
            counts.update(dict.fromkeys(missing, bundle["counts"]))
        known = {*vocabulary.outputs}
        for output in self._outputs(rows).value_counts().to_pylist():
            counts.update({edits.name_of(s): output["counts"] for s in {*output["values"]} - known})
        return counts

    def _outputs(self, rows: pa.Table) -> pa.ChunkedArray:
        """What is to be written: the first right word of each row, or how it is made of the form."""
        words = label_sets.first(rows["label"])
        return edits.scripts(rows["form"], words) if self.entry.output == "edits" else words


def with_features(
    words: pa.ChunkedArray, bundles: pa.ChunkedArray, vocabulary: Vocabulary
) -> pa.ChunkedArray:
    """Words as the network reads them; values of features that it does not know are left out."""
    if not vocabulary.features:
        return words
    place = {value: chr(FEATURE + number) for number, value in enumerate(vocabulary.features)}
    encoded = pc.fill_null(bundles, "").combine_chunks().dictionary_encode()
    prefixes = [
        "".join(place[value] for value in features.all_tags(bundle) if value in place)
        for bundle in encoded.dictionary.to_pylist()
    ]
    front = pa.chunked_array([pa.array(prefixes, pa.string()).take(encoded.indices)])
    return pc.binary_join_element_wise(front, words.combine_chunks(), "")


def written(ids: Ids, words: Words, vocabulary: Vocabulary) -> Words:
    """What outputs say, (n, c): a word each, "" where there is none.

    Args:
        ids: (n, c, u) output symbols, PAD behind.
        words: (n,) that were given.
        vocabulary: of the output.
    """
    if vocabulary.writes_tags:
        n, c, u = ids.shape
        tags = ids.reshape(n * c, u) - len(SPECIAL)
        return segments.applied(tags, np.repeat(words, c), vocabulary.labels).reshape(n, c)
    points = np.array([0] * len(SPECIAL) + [ord(symbol) for symbol in vocabulary.outputs], dtype=np.uint32)
    n, c, u = ids.shape
    texts = np.ascontiguousarray(points[ids]).view(f"<U{u}").reshape(n * c)
    made = edits.applied(texts, np.repeat(words, c)) if vocabulary.writes_edits else texts
    return made.reshape(n, c)


def right(words: Words, labels: pa.ChunkedArray) -> Bools:
    """Whether each word is one of the right ones of its row, (n, c); "" never is.

    Args:
        words: (n, c).
        labels: (n,) right words, one or several.
    """
    several = [label_sets.values(label) for label in labels.to_pylist()]
    most = max(map(len, several), default=1)
    true = np.array([values + ("",) * (most - len(values)) for values in several], dtype=np.str_)
    hits = (words[:, :, None] == true.reshape(len(words), 1, most)) & (words != "")[:, :, None]
    found: Bools = hits.any(2)
    return found
