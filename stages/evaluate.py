"""Checkpoint and test rows to predictions and the figures of the test, baselines and ceiling included."""

from esetrag import encoding, evaluation, files, params, stage, tables
from esetrag.layout import Layout
from esetrag.reader import Reader


def main(layout: Layout, how: params.Evaluate) -> None:
    """Tests the reader."""
    reader = Reader.load(layout.checkpoint)
    train, test = (tables.read(layout.sample(part), tables.SAMPLE) for part in ("train", "test"))
    encoded = encoding.read(layout.encoded("test"), reader.checkpoint.vocabulary)
    result = evaluation.evaluate(train, test, reader.probabilities(encoded), reader.labels, how)
    tables.write(layout.predictions, result.predictions)
    files.write_json(layout.metrics / "test.json", result.figures)
    files.write_text(layout.metrics / "classes.csv", result.classes.to_csv(index=False, lineterminator="\n"))
    confusion = result.predictions.select(["label", "predicted"]).to_pandas()
    files.write_text(layout.metrics / "confusion.csv", confusion.to_csv(index=False, lineterminator="\n"))


if __name__ == "__main__":
    stage.run(main, params.Evaluate)
