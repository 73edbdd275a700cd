"""Checkpoint and test rows to predictions, scores beside baselines, and analyses of what the model uses."""

from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout


def main(
    layout: Layout,
    task: config.AnyTask,
    model: config.Resolved,
    compared: config.Compared,
    train: config.Train,
    options: config.Evaluate,
    calibrating: config.Calibration,
) -> None:
    """Tests the model: scores first, then analyses."""
    # PyTorch is imported here, after the stage's start has set how often Python collects garbage.
    from esetrag import predict
    from esetrag.analysis import examine
    from esetrag.core import tables
    from esetrag.data import leakage
    from esetrag.models import checkpoint
    from esetrag.symbols import encoding
    from esetrag.tasks import testing
    from esetrag.tasks.base import Test

    parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    families = tables.read(layout.families, tables.FAMILIES)
    leakage.check(parts["train"], parts["test"], families, layout.sample("test"))
    predictor = predict.load(layout.checkpoint)
    own = predictor.checkpoint
    others = [checkpoint.load(layout.extra_seed(seed)) for seed in own.extra_seeds]
    encoded = encoding.read(layout.encoded("test"), own.vocabulary)
    test = Test(layout, parts, encoded, [own, *others], model, compared, train, options, calibrating)

    tested = testing.KINDS[config.kind_key(task)](test)
    tables.write(layout.predictions, tested.predictions)
    files.write_csv(layout.metrics / "classes.csv", tested.classes)
    files.write_csv(layout.metrics / "calibration.csv", tested.reliability)
    files.write_csv(layout.metrics / "coverage.csv", tested.coverage)
    files.write_csv(layout.metrics / "confusion.csv", tested.confusion)

    examined = examine.KINDS[config.kind_key(task)](test, tested, predictor.predict_table)
    files.write_figures(layout.metrics / "test.json", {**tested.figures, "stress": examined.figures})
    dev_accuracy = files.read_json(layout.metrics / "train.json")["dev_accuracy"]
    files.write_json(layout.metrics / "summary.json", tested.summary(dev_accuracy))
    files.write_csv(layout.stress, examined.sets)
    files.write_csv(layout.masking, examined.masking)
    tables.write(layout.attributions, examined.explained)


if __name__ == "__main__":
    stage.run(
        main,
        config.AnyTask,
        config.Resolved,
        config.Compared,
        config.Train,
        config.Evaluate,
        config.Calibration,
    )
