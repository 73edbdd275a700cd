"""Checkpoint and test forms to predictions and the figures of the test, baselines and ceiling included."""

from esetrag import encoding, evaluation, files, params, stage, tables
from esetrag.layout import PARTS, Layout
from esetrag.reader import Reader


def main(layout: Layout, how: params.Evaluate, calibrating: params.Calibration) -> None:
    """Tests the reader."""
    reader = Reader.load(layout.checkpoint)
    parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    encoded = encoding.read(layout.encoded("test"), reader.checkpoint.vocabulary)
    repeats = [Reader.load(layout.repeat(seed)) for seed in reader.repeats]
    reads = [one.read(encoded) for one in (reader, *repeats)]
    result = evaluation.evaluate(parts, reads, reader.labels, how, calibrating)
    tables.write(layout.predictions, result.predictions)
    files.write_json(layout.metrics / "test.json", result.figures)
    files.write_csv(layout.metrics / "classes.csv", result.classes)
    files.write_csv(layout.metrics / "calibration.csv", result.reliability)
    files.write_csv(layout.metrics / "coverage.csv", result.coverage)
    files.write_csv(layout.metrics / "confusion.csv", evaluation.confusion(result.predictions))


if __name__ == "__main__":
    stage.run(main, params.Evaluate, params.Calibration)
