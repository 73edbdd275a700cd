"""Encoded rows to a checkpoint and the history of its training."""

from dataclasses import asdict

from esetrag import checkpoint, encoding, files, history, params, progress, stage, tracker, training
from esetrag.layout import Layout
from esetrag.vocab import Vocabulary


def main(layout: Layout, model: params.Model, how: params.Train) -> None:
    """Trains and writes the best epoch's checkpoint."""
    vocabulary = Vocabulary.read(layout.vocab)
    train, dev = (encoding.read(layout.encoded(part), vocabulary) for part in ("train", "dev"))
    with tracker.live(layout) as log, progress.epochs(how.epochs) as show:
        trained = training.fit(train, dev, vocabulary, model, how, (log, show))
    best = history.best(trained.epochs)
    account = {**how.model_dump(), "task": layout.task, "epoch": best.epoch, "device": trained.device}
    checkpoint.save(layout.checkpoint, trained.network, vocabulary, train, model, account)
    files.write_text(layout.history, history.to_csv(trained.epochs))
    files.write_json(layout.metrics / "train.json", asdict(best))


if __name__ == "__main__":
    stage.run(main, params.Model, params.Train)
