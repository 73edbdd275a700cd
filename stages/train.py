"""Encoded rows to a checkpoint, with the history of the training; MLflow receives every epoch."""

from esetrag.core import config, stage
from esetrag.core.layout import Layout
from esetrag.tracking import tracker


def main(
    layout: Layout, model: config.Resolved, train: config.Train, calibration: config.Calibration
) -> None:
    """Trains, and writes checkpoint and history."""
    with tracker.live(layout) as log:
        # PyTorch is imported here, while the tracker's thread imports MLflow.
        from esetrag.training import seeds

        seeds.train(layout, model, train, calibration, log)


if __name__ == "__main__":
    stage.run(main, config.Resolved, config.Train, config.Calibration)
