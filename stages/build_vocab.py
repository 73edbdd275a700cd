"""Training rows to the tables of symbols and labels."""

from esetrag import tasks
from esetrag.core import config, files, stage, tables
from esetrag.core.layout import Layout


def main(layout: Layout, task: config.AnyTask, options: config.BuildVocab) -> None:
    """Writes the vocabulary."""
    rows = tables.batches(layout.sample("train"), tables.SAMPLE)
    files.write_json(layout.vocab, tasks.of(task).vocabulary(rows, options).to_json())


if __name__ == "__main__":
    stage.run(main, config.AnyTask, config.BuildVocab)
