"""Predictions to the misclassified forms, the pages and the pictures; ends the pipeline's MLflow run."""

from esetrag.core import config, files, stage, streams
from esetrag.core.layout import Layout
from esetrag.tracking import tracker


def main(layout: Layout, options: config.ErrorAnalysis) -> None:
    """Writes the error table, the pages and the pictures, completes the run, prints a summary."""
    with tracker.completing(layout):
        # pandas and Matplotlib are imported here, while the tracker's thread imports MLflow.
        from esetrag.analysis import error_analysis
        from esetrag.core import tables
        from esetrag.report import pages
        from esetrag.report.context import Context

        context = Context.read(layout, options)
        tables.write(layout.errors, error_analysis.table(context.analysis))
        files.write_json(layout.metrics / "errors.json", error_analysis.summary(context.analysis))
        summary = pages.write(context)
    streams.show(summary)


if __name__ == "__main__":
    stage.run(main, config.ErrorAnalysis)
