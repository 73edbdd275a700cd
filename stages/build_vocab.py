"""Training rows to the tables of symbols and labels."""

from esetrag import tasks
from esetrag.core import config, files, stage, tables
from esetrag.core.layout import Layout


<<<<<<< HEAD
def main(layout: Layout, task: config.ClassifyTask, options: config.BuildVocab) -> None:
    """Writes the vocabulary."""
    rows = tables.batches(layout.sample("train"), tables.SAMPLE)
    files.write_json(layout.vocab, tasks.of(task).vocabulary(rows, options).to_json())
=======
def main(layout: Layout, options: config.BuildVocab) -> None:
    """Writes the vocabulary."""
    train = tables.batches(layout.sample("train"), tables.SAMPLE)
    batches = ((rows["form"].to_pylist(), rows["label"].unique().to_pylist()) for rows in train)
    vocabulary = Vocabulary.of_batches(batches, options.min_count, options.unit, options.merges)
    files.write_json(layout.vocab, vocabulary.to_json())
>>>>>>> wt-mltests


if __name__ == "__main__":
    stage.run(main, config.ClassifyTask, config.BuildVocab)
