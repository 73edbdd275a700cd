"""UniMorph table to labelled rows, audited, split and sampled, and reports on the data."""

from pathlib import Path
from typing import Any

from esetrag.core import config, files, stage, tables
from esetrag.core.files import sha256
from esetrag.core.layout import PARTS, Layout
from esetrag.data import leakage, sampling, unimorph
from esetrag.data.audit import audit, review
from esetrag.data.families import Families
from esetrag.data.selection import select
from esetrag.report import data_report


def main(layout: Layout, task: Any, how: config.Sample) -> None:
    """Writes the rows of train, dev and test."""
    raw = Path(task.raw)
    selection = select(unimorph.batches(raw), raw, task.pos, task.feature)
    found = audit.examine(selection, task)
    selection = audit.settle(selection, found, how.suspicious)
    available = sampling.split(selection.table, how)
    drawn = sampling.draw(available, how)
    files.write_json(layout.metrics / "data_audit.json", found.figures())
    files.write_text(layout.review, review.tsv(found.review))
    audit.check(found, how.suspicious, layout.review)
    for part in PARTS:
        tables.write(layout.sample(part), leakage.mark(drawn[part], how.split))
    kin = Families.of(selection.table)
    tables.write(layout.families, kin.table)
    split = leakage.account(how.split, drawn, kin)
    account = data_report.figures(task, sha256(raw), selection, available, drawn, split)
    files.write_json(layout.metrics / "data.json", account)


if __name__ == "__main__":
    stage.run(main, config.ClassifyTask, config.Sample)
