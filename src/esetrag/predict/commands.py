"""What commands that predict labels of words share; PyTorch is imported after their options are checked."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from esetrag.core.errors import DataError

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor
    from esetrag.predict.sequence_predictor import SequencePredictor


def add_words(command: ArgumentParser, default: str) -> None:
    """Options of a command that predicts labels of words."""
    command.add_argument("words", nargs="*", help="default: those of --input, or of standard input")
    command.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="in place of the task's")
    command.add_argument("--top-k", type=int, metavar="K", help=f"labels a word (default: {default})")
    formats = "default: text for words of the command line, tsv for others and --text"
    command.add_argument("--format", choices=["text", "json", "tsv"], help=formats)
    readable = ".txt, .tsv (or .gz, .xz, .bz2, .zst of them), .parquet; - is standard input"
    command.add_argument("--input", type=Path, metavar="FILE", help=readable)
    number = "the words' column: number or name in the first line (default: 1; parquet: form)"
    command.add_argument("--column", help=number)
    command.add_argument("--text", action="store_true", help="the input is running text: predict its words")
    command.add_argument("--output", type=Path, metavar="FILE", help=".txt, .json, .tsv or .parquet")


def check_words(options: Namespace) -> None:
    """Raises DataError if options of a command that predicts labels of words do not fit each other."""
    if options.words and options.input:
        raise DataError("expected words or --input, found both")
    if options.task and options.checkpoint:
        raise DataError("expected --task or --checkpoint, found both")
    if not options.words and not options.input and (sys.stdin is None or sys.stdin.isatty()):
        raise DataError("expected words, found none; name some, pipe them in or give --input FILE")
    if options.text and options.column:
        raise DataError("expected --text or --column, found both")


def label(options: Namespace, load: Callable[[], Predictor | SequencePredictor], most: int) -> None:
    """Predicts the labels of words; ``most`` labels a word in text and JSON, and one in tables."""
    from esetrag.predict import inputs, outputs, queries

    default = "text" if options.words and not options.text else "tsv"
    kind = outputs.format_of(options.output, options.format, default)
    source = options.input or inputs.STANDARD_INPUT
    predictor = load()
    names = queries.parts(predictor.checkpoint.vocabulary)
    if options.text and len(names) > 1:
        raise DataError(f"--text: this model is asked for {', '.join(names)}; give them as a table: --input")
    if options.text:
        read = inputs.from_sentences if predictor.checkpoint.vocabulary.words else inputs.from_text
        rows = read(" ".join(options.words) if options.words else source)
    else:
        rows = inputs.from_words(options.words) if options.words else inputs.from_file(source, options.column)
    usual = most if kind in ("text", "json") else 1
    asked = queries.as_asked(rows, names)
    outputs.write(predictor, asked, usual if options.top_k is None else options.top_k, kind, options.output)
