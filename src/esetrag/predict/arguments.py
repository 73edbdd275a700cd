"""Options of commands that predict labels of words; without PyTorch, so that mistakes are told at once."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from esetrag.core.errors import DataError


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
