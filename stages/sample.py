"""Raw table to labelled rows, audited, split and sampled, with the figures of both reports."""

from esetrag.core import config, files, stage, streams, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.data import leakage
from esetrag.data.audit import audit, review
from esetrag.data.families import Families
from esetrag.data.source import Source


def main(layout: Layout, task: config.Task, sample: config.Sample) -> None:
    """Writes the rows of train, dev and test."""
    source = Source.load(task, sample.suspicious)
    available, drawn = source.parts(sample)
    split = source.split_of(sample)
    families = Families.of(source.selection.table)
    files.write_json(layout.metrics / "data_audit.json", source.audit.figures if source.audit else {})
    files.write_text(layout.review, review.tsv(source.audit.review if source.audit else []))
    if source.remarks:
        streams.show(f"{layout.task}: {source.remarks}")
    if source.audit:
        audit.check(source.audit, sample.suspicious, layout.review)
    for part in PARTS:
        tables.write(layout.sample(part), leakage.mark(drawn[part], split))
    tables.write(layout.families, families.table)
    files.write_json(layout.metrics / "data.json", source.figures(available, drawn, families, split))


if __name__ == "__main__":
    stage.run(main, config.AnyTask, config.Sample)
