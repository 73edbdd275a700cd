"""Checkpoint and test forms to predictions and the test's figures: baselines, ceiling, stress sets."""

from esetrag import encoding, evaluation, files, leakage, params, stage, stress, tables
from esetrag.layout import PARTS, Layout
from esetrag.reader import Reader


def main(layout: Layout, how: params.Evaluate, calibrating: params.Calibration) -> None:
    """Tests the reader."""
    parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    families = tables.read(layout.families, tables.FAMILIES)
    leakage.check(parts["train"], parts["test"], families, layout.sample("test"))
    reader = Reader.load(layout.checkpoint)
    encoded = encoding.read(layout.encoded("test"), reader.checkpoint.vocabulary)
    repeats = [Reader.load(layout.repeat(seed)) for seed in reader.repeats]
    reads = [one.read(encoded) for one in (reader, *repeats)]
    result = evaluation.evaluate(parts, reads, reader.labels, how, calibrating)
    tables.write(layout.predictions, result.predictions)
    tested = result.predictions
    stressed = stress.examine(parts["train"], tested, families["lemma"], reader.read_table, how)
    files.write_csv(layout.stress, stressed)
    figures = {**result.figures, "stress": stress.figures(stressed)}
    files.write_json(layout.metrics / "test.json", figures)
    files.write_csv(layout.metrics / "classes.csv", result.classes)
    files.write_csv(layout.metrics / "calibration.csv", result.reliability)
    files.write_csv(layout.metrics / "coverage.csv", result.coverage)
    files.write_csv(layout.metrics / "confusion.csv", evaluation.confusion(result.predictions))


if __name__ == "__main__":
    stage.run(main, params.Evaluate, params.Calibration)
