"""Checkpoint and test rows to predictions, scores beside baselines, and analyses of what the model uses."""

from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout


def main(layout: Layout, options: config.Evaluate, calibrating: config.Calibration) -> None:
    """Tests the model: scores first, then analyses."""
    from esetrag.analysis import attribution, masking, stress
    from esetrag.core import tables
    from esetrag.data import leakage
    from esetrag.predict.predictor import Predictor
    from esetrag.symbols import encoding
    from esetrag.tasks import evaluation

    parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    families = tables.read(layout.families, tables.FAMILIES)
    leakage.check(parts["train"], parts["test"], families, layout.sample("test"))
    predictor = Predictor.load(layout.checkpoint)
    network, vocabulary = predictor.checkpoint.network, predictor.checkpoint.vocabulary
    encoded = encoding.read(layout.encoded("test"), vocabulary)
    outputs = {str(predictor.checkpoint.manifest.model.kind): predictor.output(encoded)}
    seeds = [Predictor.load(layout.repeat(seed)).output(encoded) for seed in predictor.extra_seeds]
    result = evaluation.evaluate(parts, outputs, predictor.labels, options, calibrating, seeds)
    predictions = result.predictions
    tables.write(layout.predictions, predictions)
    files.write_csv(layout.metrics / "classes.csv", result.classes)
    files.write_csv(layout.metrics / "calibration.csv", result.reliability)
    files.write_csv(layout.metrics / "coverage.csv", result.coverage)
    files.write_csv(layout.metrics / "confusion.csv", evaluation.confusion(predictions))
    stressed = stress.examine(
        parts["train"], predictions, families["lemma"], predictor.predict_table, options
    )
    files.write_json(layout.metrics / "test.json", {**result.figures, "stress": stress.figures(stressed)})
    files.write_csv(layout.stress, stressed)
    files.write_csv(layout.masking, masking.curve(network, encoded, options.seed))
    letters = attribution.table(network, encoded, predictions, vocabulary, options.seed)
    tables.write(layout.attributions, letters)


if __name__ == "__main__":
    stage.run(main, config.Evaluate, config.Calibration)
