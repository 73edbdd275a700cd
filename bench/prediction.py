"""Words a second at prediction, one by one and in bulk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from bench import clock, notebook, peers, results
from bench.copies import STAGES, TASK, Copy
from bench.rows import Source, frame
from esetrag.predict.predictor import Predictor

ROUNDS = 5
ALONE, IN_BULK = 200, 100_000


def rates(source: Source, model: Path, rounds: int) -> dict[str, Any]:
    """Our reader, the notebook's network and logistic regression on the same words, in turn.

    Args:
        source: the task's rows; 1000 train the other two.
        model: our reader's checkpoint.
        rounds: of all of them.
    """
    parts = source.parts(1, 1000, 200)
    reader = Predictor.load(model)  # sets the threads that it was trained with, for all
    lecture = notebook.fit(frame(parts.train), None, 1, epochs=1)
    regression = peers.logistic_regression(frame(parts.train))
    bulk = pa.concat_tables([source.table] * (IN_BULK // len(source.table) + 1)).slice(0, IN_BULK)
    words = bulk["form"].combine_chunks()
    forms, few = frame(bulk), frame(bulk.slice(0, ALONE))
    singles = [few.iloc[[row]] for row in range(ALONE)]
    alone = few["form"].tolist()
    jobs = {
        "esetrag, bulk": lambda: reader.predict_table(pa.chunked_array([words])),
        "notebook loop, bulk": lambda: lecture.read(forms),
        "logistic regression, bulk": lambda: regression(forms),
        "esetrag, one by one": lambda: [reader.predict([form]) for form in alone],
        "notebook loop, one by one": lambda: [lecture.read(single) for single in singles],
        "logistic regression, one by one": lambda: [regression(single) for single in singles],
    }
    times = clock.alternate(jobs, rounds)
    counts = {name: ALONE if name.endswith("one by one") else IN_BULK for name in jobs}
    return {name: clock.spread([counts[name] / s for s in each]) for name, each in times.items()}


def main() -> None:
    """Measures a checkpoint that the stages made."""
    options = results.parser(__doc__)
    arguments = options.parse_args()
    rounds = 2 if arguments.quick else ROUNDS
    source = Source.read(arguments.raw)
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "copy", raw=arguments.raw)
        copy.change(tracking={"enabled": False})
        for stage in STAGES[:4]:
            copy.stage(stage)
        found = rates(source, copy.root / "data" / TASK / "model", rounds)
    results.write(
        "prediction", {"threads": torch.get_num_threads(), "rounds": rounds, "rates": found}, arguments.quick
    )


if __name__ == "__main__":
    main()
