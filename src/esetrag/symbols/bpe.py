"""Subwords by byte-pair encoding (Sennrich, Haddow and Birch 2016): frequent pairs become one symbol.

Characters are the smallest symbols; no merge crosses a form's ends. The library ``tokenizers`` does the
work in one thread; its order of ties (the pair of smaller ids first) depends on the forms alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Merge = tuple[str, str]
_UNKNOWN = ""
"""The library's name of the unknown symbol: the one text that no merge can make."""


def learn(forms: Sequence[str], characters: Collection[str], merges: int) -> tuple[Merge, ...]:
    """The pairs of training forms that become one symbol, in the order in which they are merged.

    Args:
        forms: training forms.
        characters: those that have a symbol; no merge holds another one.
        merges: how many; fewer if no pair is left that occurs twice.
    """
    library = _library()
    if not characters:
        return ()
    known = re.compile(f"[{''.join(map(re.escape, sorted(characters)))}]+")
    pieces = [piece for form in forms for piece in known.findall(form)]
    trainer = library.trainers.BpeTrainer(
        vocab_size=len(characters) + merges,
        min_frequency=2,
        special_tokens=[],
        initial_alphabet=sorted(characters),
        show_progress=False,
    )
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.train_from_iterator(pieces, trainer)
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return tuple((first, second) for first, second in learned)


class Segmenter:
    """Takes forms apart by learned merges."""

    def __init__(self, ids: dict[str, int], unknown: int, merges: Sequence[Merge]) -> None:
        """Builds the library's model.

        Args:
            ids: of every symbol; the parts and the outcome of each merge are among them.
            unknown: the id of any other character.
            merges: in the order in which they are merged.
        """
        library = _library()
        model = library.models.BPE(vocab={**ids, _UNKNOWN: unknown}, merges=list(merges), unk_token=_UNKNOWN)
        self._tokenizer = library.Tokenizer(model)

    def __call__(self, forms: list[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """The symbol ids of all forms, one after another; how many each form has, (forms,)."""
        ids = [form.ids for form in self._tokenizer.encode_batch_fast(forms, add_special_tokens=False)]
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        return np.fromiter(chain.from_iterable(ids), np.uint32, int(lengths.sum())), lengths


def _library() -> Any:
    # One thread; the library also warns of processes that fork after it has used several.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import tokenizers  # only subwords pay for the import
    import tokenizers.models
    import tokenizers.trainers

    return tokenizers
