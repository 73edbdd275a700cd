"""Encoding and reading back: the library's way and the notebook's, in turn, on the same forms."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from bench import clock, notebook, ours, results
from bench.rows import Parts, Source, frame
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch

ROUNDS = 25


def compared(source: Source, parts: Parts, rounds: int, folder: Path) -> dict[str, Any]:
    """Times both ways from forms and labels to padded ids, and from parquet to the tensors of a training.

    Args:
        source: the project's parameters.
        parts: rows.
        rounds: of all jobs.
        folder: for the parquet files.
    """
    encoder = ours.Encoder.of(source.given, parts)
    words = frame(parts.train)
    alphabet = notebook.Alphabet.of(words)
    theirs, own = folder / "notebook.parquet", folder / "ours.parquet"
    notebook.encode(words, alphabet).to_parquet(theirs)
    encoding.write(own, encoder.encode(parts.train), len(encoder.vocabulary.symbols))
    jobs = {
        "encode, notebook": lambda: notebook.encode(words, alphabet),
        "encode, ours": lambda: encoder.encode(parts.train),
        "read, notebook": lambda: notebook.tensors(pd.read_parquet(theirs)),
        "lists, notebook": lambda: notebook.tensors(with_lists(pd.read_parquet(theirs))),
        "read, ours": lambda: Batch.of(encoding.read(own, encoder.vocabulary), torch.device("cpu")),
    }
    times = clock.alternate(jobs, rounds)
    return {
        "rows": len(words),
        "rounds": rounds,
        "seconds": {name: clock.spread(each) for name, each in times.items()},
        "encode": clock.ratio(times["encode, notebook"], times["encode, ours"]),
        "read": clock.ratio(times["read, notebook"], times["read, ours"]),
        "lists": clock.ratio(times["lists, notebook"], times["read, ours"]),
    }


def with_lists(encoded: pd.DataFrame) -> pd.DataFrame:
    """The ids as the lists that they were before they were written: parquet gives arrays back."""
    return encoded.assign(padded=[ids.tolist() for ids in encoded["padded"]])


def main() -> None:
    """Measures on all training rows."""
    arguments = results.parser(__doc__).parse_args()
    source = Source.read(arguments.raw)
    parts = source.parts(1, 5000 if arguments.quick else None)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        results.write(
            "encoding",
            compared(source, parts, 2 if arguments.quick else ROUNDS, Path(folder)),
            arguments.quick,
        )


if __name__ == "__main__":
    main()
