"""Where a task's files lie: artifacts under ``data/<task>``, what people read under ``metrics/<task>``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PARAMS = Path("params.yaml")
"""All parameters, of every task; relative to the repository's root."""
PARTS = ("train", "dev", "test")
WEIGHTS, MANIFEST = "model.safetensors", "manifest.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one task, relative to the repository's root."""

    task: str
    root: Path = Path()

    @property
    def data(self) -> Path:
        """Folder of the artifacts that stages hand on."""
        return self.root / "data" / self.task

    @property
    def runtime(self) -> Path:
        """Folder of a running stage's lock and a training's saved state; no output of any stage."""
        return self.root / ".esetrag" / self.task

    @property
    def metrics(self) -> Path:
        """Folder of the figures, plots and reports."""
        return self.root / "metrics" / self.task

    def sample(self, part: str) -> Path:
        """Rows of a part: lemma, form, features, label."""
        return self.data / "sample" / f"{part}.parquet"

    @property
    def families(self) -> Path:
        """The head of every lemma's family."""
        return self.data / "sample" / "families.parquet"

    @property
    def review(self) -> Path:
        """The suspicious rows of the table, strongest evidence first."""
        return self.metrics / "review.tsv"

    @property
    def vocab(self) -> Path:
        """Symbols and labels."""
        return self.data / "vocab.json"

    def encoded(self, part: str) -> Path:
        """Ids, lengths and label ids of a part, row by row those of its sample."""
        return self.data / "encoded" / f"{part}.parquet"

    @property
    def checkpoint(self) -> Path:
        """Folder of the weights and their manifest."""
        return self.data / "model"

    @property
    def manifest(self) -> Path:
        """What the checkpoint is; names the SHA-256 of its weights."""
        return self.checkpoint / MANIFEST

    @property
    def weights(self) -> Path:
        """The network's weights."""
        return self.checkpoint / WEIGHTS

    def extra_seed(self, seed: int) -> Path:
        """Folder of the checkpoint of another seed, within that of the first."""
        return self.checkpoint / f"seed-{seed}"

    @property
    def history(self) -> Path:
        """Loss and accuracy of every epoch."""
        return self.metrics / "history.csv"

    @property
    def plots(self) -> Path:
        """Folder of the pictures."""
        return self.metrics / "plots"

    @property
    def curve(self) -> Path:
        """Learning curves; the page and the picture have the same name."""
        return self.metrics / "learning_curve.csv"

    @property
    def predictions(self) -> Path:
        """Test rows with the predicted distribution of each form."""
        return self.data / "predictions.parquet"

    @property
    def stress(self) -> Path:
        """Accuracy on the stress sets."""
        return self.metrics / "stress.csv"

    @property
    def attributions(self) -> Path:
        """What each letter contributed to the prediction, of the misclassified and some other test forms."""
        return self.data / "attributions.parquet"

    @property
    def masking(self) -> Path:
        """Accuracy when symbols at the end of the forms, or all others, are hidden."""
        return self.metrics / "masking.csv"

    @property
    def report(self) -> Path:
        """The page with everything on it."""
        return self.metrics / "report.html"

    @property
    def errors(self) -> Path:
        """The misclassified test forms."""
        return self.data / "errors.parquet"
