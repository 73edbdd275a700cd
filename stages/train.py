"""Encoded rows to a checkpoint, with the history of the training; MLflow is told of every epoch."""

from dataclasses import asdict

from esetrag.core import config, files, stage
from esetrag.core.layout import Layout
from esetrag.tracking import tracker


def main(layout: Layout, model: config.Model, how: config.Train, calibrating: config.Calibration) -> None:
    """Trains and writes the best epoch's checkpoint, and those of more seeds if some are wanted."""
    with tracker.live(layout) as log:
        # PyTorch is imported here, while the tracker's thread imports MLflow.
        from esetrag.training import history, seeds

        material = seeds.Material.read(layout)
        ended = [material.train(model, how, calibrating, number, log) for number in range(how.repeats + 1)]
        epochs = ended[0].epochs
        files.write_text(layout.history, history.to_csv(epochs))
        files.write_json(layout.metrics / "train.json", asdict(history.best(epochs)))
        for one in ended:
            one.saved.clear()


if __name__ == "__main__":
    stage.run(main, config.Model, config.Train, config.Calibration)
