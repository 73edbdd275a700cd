"""Checkpoint and test forms to predictions, figures, baselines, ceiling and what the reader looked at."""

from esetrag import attribution, encoding, evaluation, files, masking, params, stage, tables
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
    network = reader.checkpoint.network
    looked = attribution.table(network, encoded, result.predictions, reader.labels, how.seed)
    tables.write(layout.attributions, looked)
    files.write_csv(layout.masking, masking.curve(network, encoded, how.seed))


if __name__ == "__main__":
    stage.run(main, params.Evaluate, params.Calibration)
