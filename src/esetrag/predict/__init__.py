"""A trained model applied to new words: files, pipes, HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esetrag.core.errors import CheckpointError

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor
    from esetrag.predict.sequence_predictor import SequencePredictor


def load(folder: Path, kind: str = "") -> Predictor | SequencePredictor:
    """Loads the predictor of a checkpoint, whatever its kind, or of this one.

    Raises:
        CheckpointError: if it is missing, damaged, or of another kind.
    """
    made = _load(folder)
    if kind not in ("", made.kind):
        raise CheckpointError(f"{folder}: expected a model of kind {kind}, found one of kind {made.kind}")
    return made


def _load(folder: Path) -> Predictor | SequencePredictor:
    from esetrag.models import checkpoint  # PyTorch
    from esetrag.models.transducer import Transducer
    from esetrag.models.word_tagger import SentenceTagger
    from esetrag.predict.pair_predictor import PairPredictor
    from esetrag.predict.predictor import Predictor
    from esetrag.predict.sentence_predictor import SentencePredictor
    from esetrag.predict.sequence_predictor import SequencePredictor
    from esetrag.predict.tag_predictor import TagPredictor

    loaded = checkpoint.load(folder)
    if not isinstance(loaded.network, Transducer):
        if isinstance(loaded.network, SentenceTagger):
            return SentencePredictor(loaded)
        return (PairPredictor if loaded.vocabulary.reads_pairs else Predictor)(loaded)
    return (TagPredictor if loaded.vocabulary.writes_tags else SequencePredictor)(loaded)
