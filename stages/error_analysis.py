"""Predictions to the misread forms, pages about them and the pictures; ends the pipeline's MLflow run."""

from esetrag.core import config, files, stage
from esetrag.core.layout import Layout
from esetrag.tracking import tracker


def main(layout: Layout, how: config.ErrorAnalysis) -> None:
    """Writes the error table, the pages and the pictures, then completes the run."""
    with tracker.completing(layout):
        # pandas and Matplotlib are imported here, while the tracker's thread imports MLflow.
        from esetrag.analysis import error_analysis, stress
        from esetrag.analysis.seen_in_training import SeenInTraining
        from esetrag.core import tables
        from esetrag.report import error_report, model_card, plots, sections
        from esetrag.symbols.vocabulary import Vocabulary
        from esetrag.training import history

        vocabulary = Vocabulary.read(layout.vocab)
        predictions = tables.read(layout.predictions, tables.predictions(list(vocabulary.labels)))
        shown = SeenInTraining.read(layout, vocabulary)
        result = error_analysis.analyse(predictions, vocabulary, shown)
        tables.write(layout.errors, error_analysis.table(result))
        files.write_json(layout.metrics / "errors.json", error_analysis.summary(result))
        stressed = stress.read_csv(layout.stress)
        looked = tables.read(layout.attributions, tables.ATTRIBUTIONS)
        page = error_report.page(layout.task, result, stressed, how, looked)
        files.write_text(layout.metrics / "errors.md", page)
        places = (layout.metrics / "data.json", layout.metrics / "test.json", layout.manifest)
        data, test, manifest = map(files.read_json, places)
        card = model_card.page(layout.task, data, test, manifest, result)
        files.write_text(layout.metrics / "model_card.md", card)
        files.write_text(layout.report, sections.page(layout, result, predictions))
        forms = {part: rows["form"] for part, rows in shown.parts.items()}
        plots.draw(layout.plots, forms, shown.longest, history.read(layout.history), predictions)


if __name__ == "__main__":
    stage.run(main, config.ErrorAnalysis)
