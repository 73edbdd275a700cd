"""What the networks say of the contributions of symbols."""

from __future__ import annotations

import pyarrow as pa
import pytest
import torch
from torch import Tensor

from esetrag.core import config
from esetrag.models.attribution import TOLERANCE
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.network import Network
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import trainer

pytestmark = pytest.mark.usefixtures("single_thread")

Case = tuple[Network, Batch, Tensor, Tensor]  # network, forms, their two most probable labels


@pytest.fixture(params=["ngram", "ngram with lemmas", "bilstm"])
def case(
    request: pytest.FixtureRequest,
    given: config.Params,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    tiny_rows: pa.Table,
) -> Case:
    """A trained network of each kind."""
    if request.param == "bilstm":
        network: Network = request.getfixturevalue("tiny_network")
    else:
        analogies = Analogies.of(tiny_rows, tiny_vocabulary) if "lemmas" in request.param else None
        model = given.model.model_copy(update={"kind": "ngram", "lemmas": 1.5 if analogies else 0.0})
        options = given.train.model_copy(update={"device": "cpu", "iterations": 5, "analogies": 0})
        network = trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, model, options, analogies).network
    batch = Batch.of(tiny_encoded, torch.device("cpu"))
    label, against = score(network, batch).topk(2).indices.T
    return network, batch[torch.arange(len(batch))], label, against


def test_contributions_and_rest_add_up_to_the_difference_of_the_logits(case: Case) -> None:
    network, batch, label, against = case
    symbols, rest = network.attribute(batch, label, against)
    logits, rows = score(network, batch), torch.arange(len(batch))
    missed = (symbols.sum(1) + rest - (logits[rows, label] - logits[rows, against])).abs().max()
    assert missed < 2 * TOLERANCE
    place = torch.arange(symbols.shape[1])
    outside = (place == 0) | (place >= batch.lengths[:, None] - 1)
    assert not symbols[outside].any(), "BOS, EOS and PAD contribute nothing"


def test_with_the_labels_exchanged_the_signs_change(case: Case) -> None:
    network, batch, label, against = case
    symbols, rest = network.attribute(batch, label, against)
    exchanged, other_rest = network.attribute(batch, against, label)
    torch.testing.assert_close(symbols, -exchanged, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(rest, -other_rest)


def test_the_suffix_decides_and_not_the_stem(case: Case) -> None:
    """The tiny rows are stems of four to six letters and suffixes that mark the case."""
    network, batch, label, against = case
    long = batch.lengths >= 9
    symbols, ends = network.attribute(batch, label, against)[0][long], batch.lengths[long] - 1
    suffix = torch.stack([line[end - 3 : end].sum() for line, end in zip(symbols, ends, strict=True)])
    stem = torch.stack([line[1 : end - 3].sum() for line, end in zip(symbols, ends, strict=True)])
    assert len(suffix) > 10
    assert suffix.mean() > 2 * stem.abs().mean()
