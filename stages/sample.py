"""UniMorph table to labelled rows, audited, split and sampled, and reports on the data."""

from pathlib import Path

from esetrag.auditing import audit
from esetrag.corpus import leakage, sampling, tables, unimorph
from esetrag.corpus.families import Families
from esetrag.corpus.selection import select
from esetrag.project import params, stage
from esetrag.project.files import sha256
from esetrag.project.layout import PARTS, Layout
from esetrag.reporting import audit_report, data_report


def main(layout: Layout, task: params.Task, how: params.Sample) -> None:
    """Writes the rows of train, dev and test."""
    raw = Path(task.raw)
    selection = select(unimorph.batches(raw), raw, task.pos, task.feature)
    found = audit.examine(selection, task)
    selection = audit.settle(selection, found, how.suspicious)
    available = sampling.split(selection.table, how)
    drawn = sampling.draw(available, how)
    audit_report.write(layout, found, how.suspicious)
    audit.check(found, how.suspicious, layout.review)
    for part in PARTS:
        tables.write(layout.sample(part), leakage.mark(drawn[part], how.split))
    kin = Families.of(selection.table)
    tables.write(layout.families, kin.table)
    split = leakage.account(how.split, drawn, kin)
    account = data_report.figures(task, sha256(raw), selection, available, drawn, split)
    data_report.write(layout, account)


if __name__ == "__main__":
    stage.run(main, params.Task, params.Sample)
