"""Predictions to the misread forms, a page about them and the pictures; ends the pipeline's MLflow run."""

from esetrag import files, params, stage, tracker
from esetrag.layout import PARTS, Layout


def main(layout: Layout, how: params.ErrorAnalysis) -> None:
    """Writes the error table, the page and the pictures, then completes the run."""
    with tracker.completing(layout):
        # pandas and Matplotlib are imported here, while the tracker's process imports MLflow.
        from esetrag import analysis, encoding, error_report, history, model_card, plots, tables
        from esetrag.vocab import Vocabulary

        vocabulary = Vocabulary.read(layout.vocab)
        predictions = tables.read(layout.predictions, tables.predictions(list(vocabulary.labels)))
        result = analysis.analyse(predictions, vocabulary)
        tables.write(layout.errors, analysis.table(result))
        files.write_json(layout.metrics / "errors.json", analysis.summary(result))
        files.write_text(layout.metrics / "errors.md", error_report.page(layout.task, result, how))
        places = (layout.metrics / "data.json", layout.metrics / "test.json", layout.manifest)
        data, test, manifest = map(files.read_json, places)
        card = model_card.page(layout.task, data, test, manifest, result)
        files.write_text(layout.metrics / "model_card.md", card)
        forms = {part: tables.read(layout.sample(part), tables.SAMPLE)["form"] for part in PARTS}
        width = files.read_json(layout.metrics / "encoding.json")["width"]
        longest = width - encoding.MARKS if vocabulary.unit == "char" else None
        plots.draw(layout.plots, forms, longest, history.read(layout.history), predictions)


if __name__ == "__main__":
    stage.run(main, params.ErrorAnalysis)
