"""What each symbol contributes to a label against another, for every kind of network."""

from __future__ import annotations

import pytest
import torch

from esetrag.core.config import NgramModel, Params
from esetrag.models.bilstm import TOLERANCE
from esetrag.models.blend import Blend
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network, difference
from esetrag.models.ngram import NgramClassifier, hashes
from esetrag.symbols.batch import Batch
from esetrag.training.data import Data
from esetrag.training.linear import untrained
from tests.samples import CPU, words


@pytest.fixture
def rows(tiny_data: Data) -> Batch:
    return Batch.of(tiny_data.train, CPU)[:]


@pytest.fixture(params=["bilstm", "ngram", "prior", "blend"])
def network(
    request: pytest.FixtureRequest, params: Params, tiny_data: Data, tiny_network: Blend, rows: Batch
) -> Network:
    model = params.models["ngram"]
    assert isinstance(model, NgramModel)
    assert tiny_data.split
    ngram = untrained(rows, rows.target.shape[1], model)
    for weight in ngram.parameters():
        weight.data.normal_(generator=torch.Generator().manual_seed(1))
    prior = LemmaPrior.fit(tiny_data.split, rows.target, "softmax")
    assert prior
    bilstm = next(iter(tiny_network.experts))
    blend = Blend([bilstm, ngram, prior], torch.tensor([0.5, 0.25, 1.5]))  # type: ignore[list-item]
    kinds: dict[str, Network] = {"bilstm": tiny_network, "ngram": ngram, "prior": prior, "blend": blend}
    return kinds[request.param].eval()


def test_scores_and_the_rest_are_the_difference_of_two_logits(network: Network, rows: Batch) -> None:
    label, against = (
        torch.randint(7, (len(rows),), generator=torch.Generator().manual_seed(s)) for s in (1, 2)
    )
    symbols, rest = network.attribute(rows, label, against)
    expected = difference(network(rows), label, against).detach()
    torch.testing.assert_close(symbols.sum(1) + rest, expected, rtol=1e-4, atol=TOLERANCE)
    place = torch.arange(symbols.shape[1])
    outside = (place == 0) | (place >= rows.source.lengths[:, None] - 1)
    assert not symbols[outside].any()


def test_the_weight_of_an_n_gram_is_shared_by_its_letters(params: Params, tiny_data: Data) -> None:
    batch = words(["kanaban"], tiny_data.vocabulary)
    model = params.models["ngram"]
    assert isinstance(model, NgramModel)
    suffixes = hashes(batch.source, 3, prefixes=False)[0]  # n, an, ban
    network = NgramClassifier(
        suffixes.sort().values, 7, model.model_copy(update={"longest": 3, "prefixes": False})
    )
    row = {number: place for place, number in enumerate(network.grams.tolist(), 1)}
    network.weight.data[row[int(suffixes[1])], 2] = 1.0
    network.weight.data[row[int(suffixes[2])], 5] = -3.0
    network.bias.data[2] = 0.25
    symbols, rest = network.attribute(batch, torch.tensor([2]), torch.tensor([5]))
    assert symbols[0].tolist() == pytest.approx([0, 0, 0, 0, 0, 1, 1.5, 1.5, 0])
    assert rest.tolist() == [0.25]


def test_the_letters_of_the_ending_decide_in_a_trained_network(tiny_network: Blend, tiny_data: Data) -> None:
    vocabulary = tiny_data.vocabulary
    batch = words(["bornak"], vocabulary)
    dative, nominative = (torch.tensor([vocabulary.labels.index(case)]) for case in ("DAT", "NOM"))
    symbols, _ = tiny_network.attribute(batch, dative, nominative)
    assert float(symbols[0, 4:7].sum()) > float(symbols[0, 1:4].sum())
