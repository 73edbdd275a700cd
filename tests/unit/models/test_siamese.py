from __future__ import annotations

import torch

from esetrag.core.config import SiameseModel
from esetrag.models.siamese import Siamese
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary
from esetrag.tasks.transduce import with_features
from tests.samples import column, words

VOCABULARY = Vocabulary((*SPECIAL, "\t", *"abc"), ("different", "same"))
WITH_FEATURES = Vocabulary(
    VOCABULARY.symbols, VOCABULARY.labels, features=("DAT", "N", "PL"), bundles=("N;DAT", "N;PL")
)
SIZES = {"kind": "siamese", "embedding": 5, "hidden": 6, "layers": 1, "dropout": 0.0}
PAIRS = ["ab\tabc", "c\tcab", "abcabc\tb"]


def network(symmetric: bool = False, vocabulary: Vocabulary = VOCABULARY) -> Siamese:
    torch.manual_seed(1)
    return Siamese(vocabulary, SiameseModel.model_validate({**SIZES, "symmetric": symmetric})).eval()


def of_features(pairs: list[str], *bundles: str) -> Batch:
    return words(with_features(column(pairs), column(bundles), WITH_FEATURES).to_pylist(), WITH_FEATURES)


def turned(pairs: list[str]) -> list[str]:
    return ["\t".join(reversed(pair.split("\t"))) for pair in pairs]


@torch.inference_mode()
def test_the_order_of_two_texts_counts_unless_the_network_is_symmetric() -> None:
    for symmetric in (False, True):
        ahead, back = (network(symmetric)(words(pairs, VOCABULARY)) for pairs in (PAIRS, turned(PAIRS)))
        assert torch.allclose(ahead, back, atol=1e-6) == symmetric


@torch.inference_mode()
def test_features_count_and_leave_the_order_without_influence() -> None:
    model = network(True, WITH_FEATURES)
    dative = model(of_features(PAIRS, *["N;DAT"] * 3))
    back = model(of_features(turned(PAIRS), *["N;DAT"] * 3))
    plural = model(of_features(PAIRS, *["N;PL"] * 3))
    mixed = model(of_features(PAIRS, "N;DAT", "", "N;PL"))
    assert torch.allclose(dative, back, atol=1e-6)
    assert not torch.isclose(dative, plural).any()
    assert torch.allclose(mixed[[0, 2]], torch.stack([dative[0], plural[2]]), atol=1e-6)


@torch.inference_mode()
def test_a_pair_has_the_same_logits_alone_and_among_others() -> None:
    together = network()(words(PAIRS, VOCABULARY, 30))
    for row, pair in enumerate(PAIRS):
        assert torch.allclose(network()(words([pair], VOCABULARY))[0], together[row], atol=1e-6)


@torch.inference_mode()
def test_what_has_no_separator_or_an_empty_text_has_logits() -> None:
    assert bool(torch.isfinite(network()(words(["ab", "\t", "a\t", "\tb"], VOCABULARY))).all())


def test_symbols_and_rest_add_up_to_the_difference() -> None:
    label = torch.zeros(3, dtype=torch.int64)
    for model, batch in (
        (network(), words(PAIRS, VOCABULARY)),
        (network(vocabulary=WITH_FEATURES), of_features(PAIRS, "N;DAT", "N;PL", "")),
    ):
        scores, rest = model.attribute(batch, label, label + 1)
        with torch.no_grad():
            logits = model(batch)
        assert torch.allclose(scores.sum(1) + rest, logits[:, 0] - logits[:, 1], atol=0.1)


def test_a_vocabulary_without_a_separator_is_not_sound() -> None:
    bare = Vocabulary((*SPECIAL, *"abc"), VOCABULARY.labels)
    assert network().is_sound()
    assert not Siamese(bare, SiameseModel.model_validate({**SIZES, "symmetric": False})).is_sound()
