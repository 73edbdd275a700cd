"""Checkpoint and test rows to predictions, scores beside baselines, and analyses of what the model uses."""

from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout


def main(
    layout: Layout,
    task: config.ClassifyTask,
    model: config.Resolved,
    compared: config.Compared,
    train: config.Train,
    options: config.Evaluate,
    calibrating: config.Calibration,
) -> None:
    """Tests the model: scores first, then analyses."""
    # PyTorch is imported here, after the stage's start has set how often Python collects garbage.
    from esetrag import tasks
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
    outputs = {model.name: predictor.output(encoded)}
    outputs |= evaluation.others(layout, compared, train, calibrating, encoded)
    seeds = [Predictor.load(layout.extra_seed(seed)).output(encoded) for seed in predictor.extra_seeds]
    result = evaluation.evaluate(
        tasks.of(task), parts, outputs, predictor.labels, options, calibrating, seeds
    )
    tables.write(layout.predictions, result.predictions)
    files.write_csv(layout.metrics / "classes.csv", result.classes)
    files.write_csv(layout.metrics / "calibration.csv", result.reliability)
    files.write_csv(layout.metrics / "coverage.csv", result.coverage)
    files.write_csv(layout.metrics / "confusion.csv", evaluation.confusion(result.predictions))

    predict = predictor.predict_table
    stressed = stress.examine(parts["train"], result.predictions, families["lemma"], predict, options)
    files.write_json(layout.metrics / "test.json", {**result.figures, "stress": stress.figures(stressed)})
    files.write_csv(layout.stress, stressed)
    files.write_csv(layout.masking, masking.curve(network, encoded, options.seed))
    explained = attribution.table(network, encoded, result.predictions, vocabulary, options.seed)
    tables.write(layout.attributions, explained)


if __name__ == "__main__":
    stage.run(
        main,
        config.ClassifyTask,
        config.Resolved,
        config.Compared,
        config.Train,
        config.Evaluate,
        config.Calibration,
    )
