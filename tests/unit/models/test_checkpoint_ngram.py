"""What a checkpoint of the linear reader is, beyond what ``test_checkpoint`` says of all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import safetensors.torch
import torch
from torch import Tensor

from esetrag.core import config
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models import checkpoint
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.ngram import ABSENT, NgramClassifier
from esetrag.scoring.calibration import Calibration
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import trainer
from esetrag.training.trainer import Trained

pytestmark = pytest.mark.usefixtures("single_thread")

MEND = "make it anew: dvc repro -f"
UNSOUND = "expected n-grams and changes in ascending order, each once"


@pytest.fixture
def model(given: config.Params) -> config.Model:
    return given.model.model_copy(update={"kind": "ngram"})


@pytest.fixture
def trained(
    given: config.Params, tiny_encoded: Encoded, tiny_vocabulary: Vocabulary, model: config.Model
) -> Trained:
    how = given.train.model_copy(update={"device": "cpu", "iterations": 5})
    return trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, model, how)


@pytest.fixture
def folder(
    tmp_path: Path, trained: Trained, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded, model: config.Model
) -> Path:
    path = tmp_path / "model"
    account = {"task": "toy"}
    checkpoint.save(path, trained.network, tiny_vocabulary, tiny_encoded, model, account, Calibration())
    return path


def change_manifest(folder: Path, **changed: Any) -> None:
    content = json.loads((folder / MANIFEST).read_bytes())
    for name, values in changed.items():
        content[name] |= values
    (folder / MANIFEST).write_text(json.dumps(content))


def refusal_of(folder: Path, weights: dict[str, Tensor]) -> str:
    """What a user is told of other weights that the manifest vouches for, without the path in front."""
    data = safetensors.torch.save(weights)
    (folder / WEIGHTS).write_bytes(data)
    change_manifest(folder, weights={"size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    return refusal(folder)


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / WEIGHTS}: "), "the file is named"
    assert "\n" not in text
    return text.removeprefix(f"{folder / WEIGHTS}: ")


def test_it_reads_as_it_was_saved_to_the_bit(folder: Path, trained: Trained, tiny_encoded: Encoded) -> None:
    loaded = checkpoint.load(folder)
    assert isinstance(loaded.network, NgramClassifier)
    assert not loaded.network.training
    for name, weight in trained.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], weight)
    rows = Batch.of(tiny_encoded, torch.device("cpu"))
    assert torch.equal(score(loaded.network, rows), score(trained.network, rows))


def test_the_same_reader_gives_the_same_bytes(
    folder: Path, tmp_path: Path, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded
) -> None:
    loaded, again = checkpoint.load(folder), tmp_path / "again"
    checkpoint.save(
        again,
        loaded.network,
        tiny_vocabulary,
        tiny_encoded,
        loaded.manifest.model,
        loaded.manifest.training,
        Calibration(),
    )
    for name in (WEIGHTS, MANIFEST):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_reader_without_n_grams_is_kept(
    tmp_path: Path, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded, model: config.Model
) -> None:
    network = NgramClassifier(torch.zeros(0, dtype=torch.int64), len(tiny_vocabulary.labels), model)
    checkpoint.save(tmp_path, network, tiny_vocabulary, tiny_encoded, model, {}, Calibration())
    assert checkpoint.load(tmp_path).network.state_dict()["grams"].shape == (0,)


@pytest.fixture
def asking(
    tmp_path: Path,
    given: config.Params,
    tiny_rows: pa.Table,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    model: config.Model,
) -> tuple[Path, Trained]:
    """A reader that asks the lemmas too, and where it is kept."""
    how = given.train.model_copy(update={"device": "cpu", "iterations": 2, "analogies": 0})
    analogies = Analogies.of(tiny_rows, tiny_vocabulary)
    trained = trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, model, how, analogies)
    path = tmp_path / "asking"
    checkpoint.save(path, trained.network, tiny_vocabulary, tiny_encoded, model, {}, Calibration())
    return path, trained


def test_what_the_lemmas_say_is_kept_to_the_bit(asking: tuple[Path, Trained], tiny_encoded: Encoded) -> None:
    folder, trained = asking
    rows = Batch.of(tiny_encoded, torch.device("cpu"))
    expected = score(trained.network, rows)
    assert torch.equal(score(checkpoint.load(folder).network, rows), expected)
    assert isinstance(trained.network, NgramClassifier)
    trained.network.inflection = None
    assert not torch.equal(score(trained.network, rows), expected)


@pytest.mark.parametrize(
    "name",
    [
        "weight",
        "endings",
        "first",
        "value",
        "tail",
        "usual",
        "keys",
        "share",
        "whole",
        "further",
        "lemmas.keys",
    ],
)
def test_tables_of_the_lemmas_that_do_not_fit_are_refused(asking: tuple[Path, Trained], name: str) -> None:
    folder, trained = asking
    weights = dict(trained.network.state_dict())
    table = weights[f"inflection.{name}"]
    weights[f"inflection.{name}"] = torch.stack([table, table])
    told = refusal_of(folder, weights)
    assert told == f"not the weights of this network (other names or shapes); {MEND}"
    del weights[f"inflection.{name}"]
    assert refusal_of(folder, weights) == told


@pytest.mark.parametrize("name", ["endings", "keys", "lemmas.keys", "first", "value"])
def test_tables_of_the_lemmas_that_a_look_up_would_go_wrong_in_are_refused(
    asking: tuple[Path, Trained], name: str
) -> None:
    folder, trained = asking
    weights = {key: table.clone() for key, table in trained.network.state_dict().items()}
    weights[f"inflection.{name}"][-1] = -(2**62)
    assert refusal_of(folder, weights) == f"{UNSOUND}; {MEND}"


@pytest.mark.parametrize("name", ["grams", "weight", "bias"])
def test_weights_without_one_of_their_parts_are_refused(folder: Path, trained: Trained, name: str) -> None:
    weights = trained.network.state_dict()
    del weights[name]
    assert refusal_of(folder, weights) == f"not the weights of this network (other names or shapes); {MEND}"


@pytest.mark.parametrize(
    "change", ["more rows", "fewer rows", "more n-grams", "no list", "one number", "labels"]
)
def test_parts_that_do_not_fit_together_are_refused(folder: Path, trained: Trained, change: str) -> None:
    weights = dict(trained.network.state_dict())
    grams, weight, bias = weights["grams"], weights["weight"], weights["bias"]
    weights |= {
        "more rows": {"weight": torch.cat([weight, weight[:1]])},
        "fewer rows": {"weight": weight[1:].clone()},
        "more n-grams": {"grams": torch.cat([grams, grams[-1:] + 1])},
        "no list": {"grams": grams[:, None].clone()},
        "one number": {"grams": grams[0].clone()},
        "labels": {"bias": bias[1:].clone()},
    }[change]
    assert refusal_of(folder, weights) == f"not the weights of this network (other names or shapes); {MEND}"


@pytest.mark.parametrize("kind", [torch.int32, torch.float32, torch.float64, torch.uint8])
def test_n_grams_of_another_type_are_refused(folder: Path, trained: Trained, kind: torch.dtype) -> None:
    weights = trained.network.state_dict()
    told = refusal_of(folder, weights | {"grams": weights["grams"].to(kind)})
    assert told == f"grams: expected torch.int64, found {kind}; {MEND}"


@pytest.mark.parametrize("kind", [torch.float16, torch.float64, torch.int32])
def test_weights_of_another_type_are_refused(folder: Path, trained: Trained, kind: torch.dtype) -> None:
    weights = trained.network.state_dict()
    told = refusal_of(folder, weights | {"weight": weights["weight"].to(kind)})
    assert told == f"weight: expected torch.float32, found {kind}; {MEND}"


@pytest.mark.parametrize("change", ["turned", "two swapped", "one twice", "one that is absent"])
def test_n_grams_that_the_look_up_would_miss_are_refused(folder: Path, trained: Trained, change: str) -> None:
    weights = trained.network.state_dict()
    grams = weights["grams"].clone()
    if change == "turned":
        grams = grams.flip(0)
    elif change == "two swapped":
        grams[[3, 4]] = grams[[4, 3]]
    elif change == "one twice":
        grams[4] = grams[3]
    else:
        grams[int((grams < ABSENT).sum())] = ABSENT  # in order, and yet the mark of a form too short
    told = refusal_of(folder, weights | {"grams": grams})
    assert told == f"{UNSOUND}; {MEND}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_that_are_no_numbers_are_refused(
    folder: Path, trained: Trained, name: str, value: float
) -> None:
    weights = trained.network.state_dict()
    weights[name] = weights[name].clone()
    weights[name].view(-1)[-1] = value
    assert refusal_of(folder, weights) == f"holds NaN or infinite weights; {MEND}"


@pytest.mark.parametrize(
    "changed",
    [{"model": {"kind": "lstm"}}, {"vocabulary": {"labels": ["ACC"]}}],
    ids=["another kind", "fewer labels"],
)
def test_a_manifest_that_lies_about_the_network_is_refused(folder: Path, changed: dict[str, Any]) -> None:
    change_manifest(folder, **changed)
    assert refusal(folder) == f"not the weights of this network (other names or shapes); {MEND}"
