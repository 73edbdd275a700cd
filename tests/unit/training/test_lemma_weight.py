from __future__ import annotations

import pyarrow as pa
import pytest
import torch

from esetrag.core import config, tables
from esetrag.data import label_sets
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.ngram import NgramClassifier
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import lemma_weight, linear

pytestmark = pytest.mark.usefixtures("single_thread")

STEMS = ["kar", "mor", "lag", "tom", "bark", "solt", "rend", "gomb", "dal", "fark", "nyom", "hold"]
OTHERS = ["gar", "ral", "lom", "bol", "mork", "tag", "solg", "darm"]
ENDINGS = {"ACC": "t", "DAT": "nak", "NOM": ""}


def table_of(stems: list[str], wrong: bool = False) -> pa.Table:
    labels = dict(zip(ENDINGS, [*ENDINGS][1:] + [*ENDINGS][:1], strict=True)) if wrong else {}
    rows = [(stem, stem + end, labels.get(case, case)) for stem in stems for case, end in ENDINGS.items()]
    lemma, form, label = (pa.array([*column], pa.string()) for column in zip(*rows, strict=True))
    return tables.sample(lemma, form, label, label)


ROWS = table_of(STEMS)
VOCABULARY = Vocabulary.build(ROWS["form"].to_pylist(), ROWS["label"].to_pylist())


def batch(rows: pa.Table) -> Batch:
    return Batch.of(encoding.encode_rows(rows, VOCABULARY, 12, "end"), torch.device("cpu"))


def untrained(given: config.Params) -> NgramClassifier:
    """A reader whose n-grams know nothing, and that asks the lemmas."""
    network = NgramClassifier(torch.zeros(0, dtype=torch.int64), 3, given.model)
    targets = torch.from_numpy(label_sets.matrix(ROWS["label"], VOCABULARY.labels))
    network.inflection = LemmaPrior.fit(Analogies.of(ROWS, VOCABULARY), targets, 1.0)
    return network


def weight(network: NgramClassifier) -> float:
    assert isinstance(network.inflection, LemmaPrior)
    return float(network.inflection.weight)


def test_lemmas_that_help_are_kept(given: config.Params) -> None:
    network, dev = untrained(given), batch(table_of(OTHERS))
    usual = weight(network)
    lemma_weight.choose(network, dev)
    assert weight(network) / usual in lemma_weight.STEPS
    assert int(dev.targets.gather(1, score(network, dev).argmax(1, keepdim=True)).sum()) == len(dev)


def test_lemmas_that_mislead_are_forgotten(given: config.Params) -> None:
    rows = batch(table_of(STEMS, wrong=True))
    network = linear.network(rows, torch.ones(len(rows)), 3, given.model)
    for _ in linear.LinearFit(network, rows, torch.ones(len(rows)), given.train):
        pass
    network.inflection = untrained(given).inflection
    assert isinstance(network.inflection, LemmaPrior)
    network.inflection.weight.fill_(20.0)  # a quarter of which still outvotes the n-grams
    lemma_weight.choose(network, batch(pa.concat_tables([table_of(OTHERS, wrong=True)] * 20)))
    assert network.inflection is None
    assert not any(name.startswith("inflection") for name in network.state_dict())


def test_the_same_rows_choose_the_same_weight(given: config.Params) -> None:
    one, other = untrained(given), untrained(given)
    for network in (one, other):
        lemma_weight.choose(network, batch(table_of(OTHERS[:3])))
    assert weight(one) == weight(other)


@pytest.mark.parametrize("rows", [[], OTHERS], ids=["no rows", "none of a known value"])
def test_without_a_form_of_a_known_value_the_weight_is_the_usual_one(
    given: config.Params, rows: list[str]
) -> None:
    network, dev = untrained(given), batch(table_of(OTHERS))
    usual = weight(network)
    some = torch.arange(len(dev) if rows else 0)
    unknown = Batch(dev.ids[some], dev.lengths[some], torch.zeros_like(dev.targets[some]))
    lemma_weight.choose(network, unknown)
    assert weight(network) == usual


def test_a_few_wrong_labels_do_not_silence_the_lemmas(given: config.Params) -> None:
    network = untrained(given)
    dev = batch(pa.concat_tables([table_of(OTHERS), table_of(OTHERS[:1], wrong=True)]))
    lemma_weight.choose(network, dev)
    assert network.inflection is not None
