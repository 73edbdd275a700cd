"""Commands that predict: words of the command line, of files or of pipes in, predictions out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from esetrag import predict
from esetrag.predict import inputs, outputs
from esetrag.predict.predictor import Predictor
from esetrag.predict.sequence_predictor import SequencePredictor


def label(options: Namespace, load: Callable[[], Predictor | SequencePredictor], most: int) -> None:
    """Predicts the labels of words; ``most`` labels a word in text and JSON, and one in tables.

    Raises:
        DataError: if the input or the output cannot be used.
        CheckpointError: if the model cannot be used.
    """
    default = "text" if options.words and not options.text else "tsv"
    kind = outputs.format_of(options.output, options.format, default)
    source = options.input or inputs.STANDARD_INPUT
    predictor = load()
    if options.text:
        read = inputs.from_sentences if predictor.checkpoint.vocabulary.words else inputs.from_text
        rows = read(" ".join(options.words) if options.words else source)
    else:
        rows = inputs.from_words(options.words) if options.words else inputs.from_file(source, options.column)
    rows = inputs.with_features(rows) if predictor.bundles else rows
    usual = most if kind in ("text", "json") else 1
    outputs.write(predictor, rows, usual if options.top_k is None else options.top_k, kind, options.output)


def write(options: Namespace, folder: Path, words: list[str], bundles: list[str] | None) -> None:
    """Writes words for words, each with each bundle; None are all bundles that training has.

    Raises:
        DataError: if a word or a bundle cannot be used.
        CheckpointError: if the model cannot be used.
    """
    predictor = predict.load(folder)
    wanted = predictor.bundles if bundles is None else bundles
    queries = [f"{word}\t{bundle}" for word in words for bundle in wanted] if wanted else words
    outputs.write(predictor, inputs.from_words(queries), options.top_k, options.format, None)
