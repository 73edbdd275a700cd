"""Encoded rows to a checkpoint, with the history of the training; MLflow is told of every epoch."""

from dataclasses import asdict

from esetrag import files, params, runtime, stage, tracker
from esetrag.layout import Layout


def main(layout: Layout, model: params.Model, how: params.Train) -> None:
    """Trains and writes the best epoch's checkpoint."""
    with tracker.live(layout) as log:
        # PyTorch is imported here, while the tracker's process imports MLflow.
        from esetrag import checkpoint, encoding, history, progress, resumption, tables, training
        from esetrag.analogy import Analogies
        from esetrag.vocab import Vocabulary

        vocabulary = Vocabulary.read(layout.vocab)
        analogies = Analogies.of(tables.read(layout.sample("train"), tables.SAMPLE), vocabulary)
        train, dev = (encoding.read(layout.encoded(part), vocabulary) for part in ("train", "dev"))
        read = (layout.vocab, layout.sample("train"), layout.encoded("train"), layout.encoded("dev"))
        saved = resumption.Resumption(layout.runtime / "train", resumption.key(read, (model, how)))
        with progress.epochs(training.most_epochs(model, how)) as show, runtime.patiently() as stop:
            told = (log, show, stop)
            trained = training.fit(train, dev, vocabulary, model, how, analogies, told, saved)
        best = history.best(trained.epochs)
        account = {**how.model_dump(), "task": layout.task, "epoch": best.epoch, "device": trained.device}
        checkpoint.save(layout.checkpoint, trained.network, vocabulary, train, model, account)
        files.write_text(layout.history, history.to_csv(trained.epochs))
        files.write_json(layout.metrics / "train.json", asdict(best))
        saved.clear()


if __name__ == "__main__":
    stage.run(main, params.Model, params.Train)
