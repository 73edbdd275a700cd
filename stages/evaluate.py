"""Checkpoint and test forms to predictions, figures beside baselines, and what the reader looked at."""

from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout


def main(layout: Layout, how: config.Evaluate, calibrating: config.Calibration) -> None:
    """Tests the reader."""
    # PyTorch is imported here, after the stage's start has set how often Python looks for garbage.
    from esetrag.analysis import attribution, masking, stress
    from esetrag.core import tables
    from esetrag.data import leakage
    from esetrag.predict.predictor import Predictor
    from esetrag.symbols import encoding
    from esetrag.tasks import evaluation

    parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    families = tables.read(layout.families, tables.FAMILIES)
    leakage.check(parts["train"], parts["test"], families, layout.sample("test"))
    reader = Predictor.load(layout.checkpoint)
    network, vocabulary = reader.checkpoint.network, reader.checkpoint.vocabulary
    encoded = encoding.read(layout.encoded("test"), vocabulary)
    repeats = [Predictor.load(layout.repeat(seed)) for seed in reader.extra_seeds]
    reads = [one.output(encoded) for one in (reader, *repeats)]
    result = evaluation.evaluate(parts, reads, reader.labels, how, calibrating)
    read = result.predictions
    tables.write(layout.predictions, read)
    tables.write(layout.attributions, attribution.table(network, encoded, read, vocabulary, how.seed))
    stressed = stress.examine(parts["train"], read, families["lemma"], reader.predict_table, how)
    files.write_json(layout.metrics / "test.json", {**result.figures, "stress": stress.figures(stressed)})
    files.write_csv(layout.stress, stressed)
    files.write_csv(layout.masking, masking.curve(network, encoded, how.seed))
    files.write_csv(layout.metrics / "classes.csv", result.classes)
    files.write_csv(layout.metrics / "calibration.csv", result.reliability)
    files.write_csv(layout.metrics / "coverage.csv", result.coverage)
    files.write_csv(layout.metrics / "confusion.csv", evaluation.confusion(read))


if __name__ == "__main__":
    stage.run(main, config.Evaluate, config.Calibration)
