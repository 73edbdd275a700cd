"""Training rows to the tables of symbols and labels."""

from esetrag.core import config, files, stage, tables
from esetrag.core.layout import Layout
from esetrag.symbols.vocabulary import Vocabulary


def main(layout: Layout, options: config.BuildVocab) -> None:
    """Writes the vocabulary."""
    train = tables.batches(layout.sample("train"), tables.SAMPLE)
    batches = ((rows["form"].to_pylist(), rows["label"].unique().to_pylist()) for rows in train)
    vocabulary = Vocabulary.of_batches(batches, options.min_count, options.unit, options.merges)
    files.write_json(layout.vocab, vocabulary.to_json())


if __name__ == "__main__":
    stage.run(main, config.BuildVocab)
