"""A trained model on disk: weights in safetensors, everything else in a manifest that vouches for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import safetensors.torch
import torch
from pydantic import Field, ValidationError
from torch import Tensor

from esetrag import __version__
from esetrag.core import config, files, versions
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models.bilstm import BilstmClassifier
from esetrag.models.blend import Blend
from esetrag.models.edit_rules import EditRules
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network, Unfilled
from esetrag.models.ngram import NgramClassifier
from esetrag.models.seq2seq import Seq2seq
from esetrag.models.siamese import Siamese
from esetrag.models.tagger import Tagger
from esetrag.models.transducer import Transducer
from esetrag.models.word_tagger import SentenceTagger, WordTagger
from esetrag.scoring.calibration import Calibration
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

LARGEST = 2**32
"""Bytes of weights; a hundred times those of the largest model of any language so far."""
MEND = "make it anew: dvc repro -f"
UNSOUND = (
    "expected weights of experts >= 0, n-grams and changes in ascending order, each once, and a symbol "
    "between the texts or words that are read"
)


class LemmaPriorModel(config.Section):
    """The lemma prior as one of a checkpoint's experts; it has no parameters of its own."""

    kind: Literal["lemmas"] = "lemmas"
    head: config.Head


class EditRulesModel(config.Section):
    """Edit rules as one of a checkpoint's experts; they have no parameters of their own."""

    kind: Literal["rules"] = "rules"


Expert = Annotated[config.AnyExpert | LemmaPriorModel | EditRulesModel, Field(discriminator="kind")]
Shapes = Mapping[str, tuple[int, ...]]
FACTORY: dict[str, Callable[[Any, Vocabulary, Shapes], Network]] = {
    "bilstm": lambda model, words, _: BilstmClassifier(words.size, len(words.labels), model),
    "ngram": lambda model, words, shapes: NgramClassifier(
        torch.empty(shapes.get("grams", (0,)), dtype=torch.int64), len(words.labels), model
    ),
    "lemmas": lambda model, words, shapes: LemmaPrior.empty(shapes, len(words.labels), model.head),
    "seq2seq": lambda model, words, _: Seq2seq(words, model),
    "tagger": lambda model, words, _: Tagger(words, model),
    "word_tagger": lambda model, words, _: WordTagger(words, model),
    "siamese": lambda model, words, _: Siamese(words, model),
    "rules": lambda _, words, shapes: EditRules(shapes, len(words.symbols), len(words.output.symbols)),
}
"""By kind: from model, vocabulary, and the shapes of the weights there are (which give the sizes that
training decides) to a network with room for these weights."""
JOINED: dict[str, type[Blend]] = {"seq2seq": Transducer, "tagger": Transducer, "word_tagger": SentenceTagger}
"""What experts of a kind are joined to; others to a ``Blend``."""


class Weights(config.Section):
    """What the manifest says of the weights' file."""

    size: Annotated[int, Field(ge=0, le=LARGEST)]
    sha256: str


class Encoding(config.Section):
    """How words become rows of ids."""

    width: Annotated[int, Field(gt=encoding.MARKS, le=encoding.MAX_WIDTH)]
    """Symbols a row, BOS and EOS counted."""
    keep: Literal["end", "start"]
    """Which end of a longer word is kept."""


class Calibrated(config.Section):
    """What was fitted on dev (``calibration.Calibration``)."""

    temperature: Annotated[float, Field(ge=0.01, le=100)]
    exponent: Annotated[float, Field(ge=0.01, le=100)]
    ratio: Annotated[float, Field(gt=0, le=1)]
    threshold: Annotated[float, Field(ge=0, le=1)]
    prior: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(strict=False)] = ()


class Manifest(config.Section):
    """All of a checkpoint but its weights."""

    format: Literal[3]
    weights: Weights
    experts: Annotated[list[Expert], Field(min_length=1, max_length=20)]
    encoding: Encoding
    calibration: Calibrated
    vocabulary: dict[str, Any]
    training: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to predict, whatever the kind of the task, and how it was trained."""

    network: Blend
    vocabulary: Vocabulary
    manifest: Manifest

    @property
    def calibration(self) -> Calibration:
        """What was fitted on the development set."""
        return Calibration(**self.manifest.calibration.model_dump())

    @property
    def extra_seeds(self) -> list[int]:
        """Seeds of the further trainings of the same model.

        Raises:
            CheckpointError: if its manifest does not name them.
        """
        match self.manifest.training:
            case {"seed": int(seed), "repeats": int(repeats)} if 0 <= repeats <= config.MOST_SEEDS:
                return list(range(seed + 1, seed + 1 + repeats))
        raise CheckpointError("the checkpoint's manifest does not name its seeds; make it anew: dvc repro -f")


def save(
    folder: Path,
    network: Blend,
    experts: Sequence[config.Section],
    vocabulary: Vocabulary,
    encoded: encoding.Encoded,
    training: dict[str, Any],
    calibration: Calibration,
) -> None:
    """Writes weights and manifest, the manifest last: a folder without one is no checkpoint.

    Args:
        folder: where to.
        network: its weights are saved as they are on the CPU.
        experts: the shape of each expert of the network.
        vocabulary: symbols and labels.
        encoded: the training rows, for their width and the end they keep.
        training: how it was trained; JSON, without anything of clock or machine.
        calibration: what was fitted on dev.

    Raises:
        CheckpointError: if the weights are too large to be loaded again.
        DataError: if the folder cannot be written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # One metadata key: with two, safetensors writes them in an order that differs between processes.
    data = safetensors.torch.save(weights, {"format": "pt"})
    if len(data) > LARGEST:
        raise CheckpointError(f"{folder}: expected weights of {LARGEST:,} bytes at most, found {len(data):,}")
    files.write_bytes(folder / WEIGHTS, data)
    manifest = {
        "format": 3,
        "weights": {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "experts": [expert.model_dump() for expert in experts],
        "encoding": {"width": encoded.ids.shape[1], "keep": encoded.keep},
        "calibration": asdict(calibration),
        "vocabulary": vocabulary.to_json(),
        "training": training,
        "versions": {"esetrag": __version__, **versions.installed()},
    }
    files.write_json(folder / MANIFEST, Manifest.model_validate(manifest).model_dump())


def load(folder: Path) -> Checkpoint:
    """Loads a checkpoint, trusting nothing: sizes, hashes, shapes and values are checked, no code is run.

    PyTorch then takes as many threads as the model was trained with.

    Raises:
        CheckpointError: if it is missing or not what its manifest says.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate(files.read_json(path))
        vocabulary = Vocabulary.from_json(manifest.vocabulary, path)
    except DataError as error:
        raise CheckpointError(f"{error}; make it: dvc repro") from error
    except ValidationError as error:
        problems = config.explain(error, Manifest)
        raise CheckpointError(f"{path}: not a checkpoint's manifest: {problems}") from error
    threads = manifest.training.get("threads")
    # Sums in another order differ in their last bits, so the core count must not decide.
    torch.set_num_threads(threads if isinstance(threads, int) and 0 < threads <= config.MOST_THREADS else 1)
    weights = _read(folder / WEIGHTS, manifest.weights)
    return Checkpoint(_network(folder / WEIGHTS, weights, manifest, vocabulary), vocabulary, manifest)


def _read(path: Path, expected: Weights) -> dict[str, Tensor]:
    """The weights, of the very bytes that the manifest vouches for."""
    try:
        if (size := path.stat().st_size) != expected.size:
            raise CheckpointError(
                f"{path}: expected {expected.size:,} bytes by its manifest, found {size:,}; {MEND}"
            )
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != expected.sha256:
            raise CheckpointError(f"{path}: its SHA-256 is not the one in its manifest; {MEND}")
        return dict(safetensors.torch.load(data))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise CheckpointError(f"{path}: {expected.size:,} bytes of weights do not fit into memory") from error
    except (safetensors.SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: not weights in safetensors ({_line(error)}); {MEND}") from error


def _network(path: Path, weights: dict[str, Tensor], manifest: Manifest, vocabulary: Vocabulary) -> Blend:
    network = blueprint(
        manifest.experts,
        vocabulary,
        {name: tuple(tensor.shape) for name, tensor in weights.items()},
    )
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in network.state_dict().items()}
    different = [
        name
        for name in sorted({*expected, *weights})
        if name not in weights or expected.get(name) != (weights[name].shape, weights[name].dtype)
    ]
    if different:
        raise CheckpointError(
            f"{path}: not the weights of this network (other names, shapes or types: "
            f"{', '.join(different[:3])}); {MEND}"
        )
    network.load_state_dict(weights, assign=True)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise CheckpointError(f"{path}: holds NaN or infinite weights; {MEND}")
    if not network.is_sound():
        raise CheckpointError(f"{path}: {UNSOUND}; {MEND}")
    return network.eval()


def blueprint(experts: Sequence[Any], vocabulary: Vocabulary, shapes: Shapes) -> Blend:
    """A network without memory for its weights (on the meta device), whatever sizes a manifest asks for.

    Args:
        experts: the shape of each expert.
        vocabulary: of input and output.
        shapes: of the weights by name; sizes that training decides are taken from there.
    """
    networks = []
    with torch.device("meta"), Unfilled():
        for number, expert in enumerate(experts):
            prefix = f"experts.{number}."
            own = {n.removeprefix(prefix): s for n, s in shapes.items() if n.startswith(prefix)}
            networks.append(FACTORY[expert.kind](expert, vocabulary, own))
        return JOINED.get(experts[0].kind, Blend)(networks, torch.empty(len(networks)))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
