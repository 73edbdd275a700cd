"""The test of a model that writes, beside copying, edit rules and the upper bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch

from esetrag.core import features, tables
from esetrag.data import change, edits, label_sets
from esetrag.models.blend import Blend
from esetrag.models.edit_rules import EditRules
from esetrag.models.transducer import Transducer
from esetrag.scoring import calibration, ratios, reliability
from esetrag.scoring.calibration import Calibration
from esetrag.scoring.edit_distance import distances
from esetrag.scoring.ratios import Bools, Floats, Ratio
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks.base import Test, Tested
from esetrag.tasks.evaluation import clusters_of, spread
from esetrag.tasks.transduce import Words, right, written

BASELINES = ("edit_rules", "copy")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranked:
    """What a model writes for each row, the most probable first."""

    words: Words  # (n, c), "" where there are fewer
    shares: Floats  # (n, c) probabilities
    calibration: Calibration = calibration.UNCALIBRATED

    @property
    def chosen(self) -> list[str]:
        """The words that may be right: all nearly as probable as the top one (``Calibration.ratio``)."""
        kept = (self.shares >= self.calibration.ratio * self.shares[:, :1]) & (self.words != "")
        kept &= self.shares[:, :1] >= self.calibration.threshold
        return [label_sets.join(w[k].tolist()) for w, k in zip(self.words, kept, strict=True)]

    @classmethod
    def of(
        cls, network: Blend, fitted: Calibration, batch: Batch, words: Words, vocabulary: Vocabulary
    ) -> Ranked:
        """What a network (a ``Transducer``) writes for words."""
        writer = cast("Transducer", network)
        candidates = writer.candidates(batch.source)
        logits = writer.logits(candidates)
        order = torch.argsort(logits, dim=1, descending=True, stable=True)
        ids = candidates.ids.gather(1, order[..., None].expand_as(candidates.ids))
        made = written(ids.numpy(), words, vocabulary)
        shares = calibration.probabilities(logits.gather(1, order).numpy(), "softmax", fitted)
        return cls(*once(made, np.where(made == "", 0, shares).astype(np.float32)), fitted)


def once(words: Words, shares: Floats) -> tuple[Words, Floats]:
    """Each word of a row once, with the sum of its probabilities: two scripts can write the same; (n, c)."""
    same = words[:, :, None] == words[:, None]  # (n, c, c)
    first = same.argmax(2) == np.arange(words.shape[1])
    sums = np.where(first, (same * shares[:, None]).sum(2), 0)
    order = np.argsort(-sums, axis=1, kind="stable")
    ranked = (np.take_along_axis(part, order, 1) for part in (np.where(first, words, ""), sums))
    return next(ranked), next(ranked)


@dataclass(frozen=True)
class Evaluator:
    """How what is written is evaluated, and what it must beat."""

    baselines: tuple[str, ...]
    """Names of those that ``train`` makes."""
    train: Callable[[pa.Table, Encoded, Batch, Words, Vocabulary], dict[str, Ranked]]
    """As ``baselines`` below, like the others."""
    scores: Callable[[pa.Table, Ranked], dict[str, Ratio]]
    expressible: Callable[[pa.Table, Vocabulary], Bools]
    confusion: Callable[[pa.Table], pd.DataFrame]


def test(test: Test) -> Tested:
    """Tests a model that writes; see ``testing``."""
    return evaluated(test, WRITING)


def evaluated(test: Test, evaluator: Evaluator) -> Tested:
    """Tests a model that writes words or tags."""
    from esetrag.training import trainer
    from esetrag.training.data import Data

    own, rows = test.checkpoints[0], test.parts["test"]
    forms, batch, vocabulary = change.words(rows["form"]), Batch.of(test.encoded, CPU), own.vocabulary

    def ranked(checkpoint: Any) -> Ranked:
        return Ranked.of(checkpoint.network, checkpoint.calibration, batch, forms, vocabulary)

    models = {test.model.name: ranked(own)}
    data = Data.read(test.layout)
    for other in test.compared:
        trained = trainer.fit(data, other, test.train)
        fitted = trained.calibrate(data, test.calibrating)
        models[other.name] = Ranked.of(trained.network, fitted, batch, forms, vocabulary)
    models |= evaluator.train(test.parts["train"], data.train, batch, forms, vocabulary)
    seeds = [ranked(checkpoint) for checkpoint in test.checkpoints[1:]]
    return evaluate(rows, models, seeds, vocabulary, test, evaluator)


def baselines(
    train: pa.Table, encoded: Encoded, test: Batch, forms: Words, vocabulary: Vocabulary
) -> dict[str, Ranked]:
    """The word as it is, and what was done most often to words of the same features that end alike."""
    vocabulary, batch = as_edits(train, encoded, vocabulary)
    rules = EditRules.of_rows(batch, vocabulary)
    ids = rules.propose(test.source)[:, :1]
    made = written(ids.numpy(), forms, vocabulary)[:, 0]
    row = torch.arange(len(ids))
    certain = np.exp(rules.score(test.source, row, ids[:, 0]).numpy())
    of_rules = np.where(made == "", forms, made)  # a bundle without a rule
    copied = Ranked(forms[:, None], np.ones((len(forms), 1), np.float32))
    return {"edit_rules": Ranked(of_rules[:, None], certain[:, None]), "copy": copied}


def as_edits(train: pa.Table, encoded: Encoded, vocabulary: Vocabulary) -> tuple[Vocabulary, Batch]:
    """Training rows with edit scripts for targets, whatever the model writes."""
    if vocabulary.writes_edits:
        return vocabulary, Batch.of(encoded, CPU)
    texts = edits.scripts(train["form"], label_sets.first(train["label"]))
    labels = sorted({edits.name_of(symbol) for symbol in "".join(texts.to_pylist())})
    own = replace(vocabulary, labels=tuple(labels))
    ids, _ = encoding.encode(texts, own.output, encoding.width_of(texts, None), "start")
    return own, Batch.of(replace(encoded, targets=ids[:, 1:].astype(np.uint16)), CPU)


def evaluate(
    rows: pa.Table,
    models: dict[str, Ranked],
    seeds: list[Ranked],
    vocabulary: Vocabulary,
    test: Test,
    evaluator: Evaluator | None = None,
) -> Tested:
    """Compares what models write with the right words.

    Args:
        rows: of the test.
        models: the task's own first, the baselines last.
        seeds: the task's own after trainings with other seeds.
        vocabulary: of the model.
        test: for options.
        evaluator: how they are evaluated, usually as words.
    """
    evaluator = evaluator or WRITING
    name, own = next(iter(models.items()))
    options, clusters = test.options, clusters_of(rows)
    scores = {key: evaluator.scores(rows, each) for key, each in models.items()}
    hits = {key: right(each.words, rows["label"]) for key, each in models.items()}
    bins = {key: reliability.reliability(each.shares, hits[key], "sigmoid") for key, each in models.items()}
    exact = {key: each["accuracy"] for key, each in scores.items()}
    intervals = ratios.intervals(exact, clusters, options)
    figures = {
        key: {
            **{score: ratio.value for score, ratio in scores[key].items()},
            "any_correct": exact[key].value,
            "low": intervals[key].low,
            "high": intervals[key].high,
            "ece": reliability.expected_error(bins[key]),
            "risk_area": reliability.area(each.shares, hits[key]),
            **each.calibration.figures,
        }
        for key, each in models.items()
    }
    best = max(evaluator.baselines, key=lambda key: figures[key]["accuracy"])
    lead = ratios.difference(exact[name], exact[best], clusters, options)
    bound = evaluator.expressible(rows, vocabulary)
    accuracies = [evaluator.scores(rows, each)["accuracy"].value for each in seeds]
    content = {
        "confidence": options.confidence,
        "rows": len(rows),
        "ambiguous_forms": sum(label_sets.CHOICE in label for label in rows["label"].to_pylist()),
        "lemmas": len(np.unique(clusters)) if rows["lemma"].null_count == 0 else 0,
        "model": name,
        "baselines": list(evaluator.baselines),
        "models": figures,
        "upper_bound": {"accuracy": float(bound.mean()), "any_correct": float(bound.mean())},
        "lead": {**asdict(lead), "on": best},
        "resolution": math.sqrt(2) * (intervals[name].high - intervals[name].low) / 2,
        "seeds": spread([exact[name].value, *accuracies]),
    }
    made = predictions(rows, own)
    return Tested(
        made,
        content,
        by_value(rows, hits[name][:, 0]),
        pd.concat(bins, names=["model"]).reset_index("model").reset_index(drop=True),
        reliability.coverage(own.shares, hits[name]),
        evaluator.confusion(made),
    )


def scores_of(rows: pa.Table, ranked: Ranked) -> dict[str, Ratio]:
    """Exact match with a right word, edit distance to the nearest, whether one is among the candidates."""
    hits = right(ranked.words, rows["label"])
    return {
        "accuracy": Ratio.mean(hits[:, 0]),
        "edit_distance": Ratio.mean(nearest(rows["label"], ranked.words[:, 0])),
        "in_candidates": Ratio.mean(np.asarray(hits.any(1))),
    }


def nearest(labels: pa.ChunkedArray, words: Words) -> npt.NDArray[np.int64]:
    """Edit distance of each word to the nearest of the right ones, (n,)."""
    several = [label_sets.values(label) for label in labels.to_pylist()]
    most = max(map(len, several), default=1)
    columns = zip(*((*values, *[values[0]] * (most - len(values))) for values in several), strict=True)
    found = [distances(words, np.array(column, dtype=np.str_)) for column in columns]
    least: npt.NDArray[np.int64] = np.minimum.reduce(found) if found else np.zeros(0, np.int64)
    return least


def expressible(rows: pa.Table, vocabulary: Vocabulary) -> Bools:
    """Whether training has what a row needs: every value of its features, every symbol of an output, (n,).

    No script makes another word of one that is far too long (``edits.SIDE``).
    """
    known, written_symbols = {*vocabulary.features}, {*vocabulary.outputs}
    bundles = rows["features"].to_pylist() if vocabulary.features else [None] * len(rows)
    of_bundle = {b: known.issuperset(features.all_tags(b or "")) for b in {*bundles}}
    labels = [label_sets.values(label) for label in rows["label"].to_pylist()]
    row = np.repeat(np.arange(len(rows)), [len(values) for values in labels])
    words = pa.chunked_array([pa.array([value for values in labels for value in values], pa.string())])
    forms = rows["form"].combine_chunks().take(pa.array(row))
    texts = edits.scripts(pa.chunked_array([forms]), words) if vocabulary.writes_edits else words
    fits = np.zeros(len(rows), bool)
    can = np.array([written_symbols.issuperset(text) for text in texts.to_pylist()], dtype=bool)
    if vocabulary.writes_edits:
        can &= edits.applied(change.words(texts), change.words(forms)) == change.words(words)
    np.logical_or.at(fits, row, can)
    fits &= np.array([of_bundle[bundle] for bundle in bundles], dtype=bool)
    return fits


def predictions(rows: pa.Table, ranked: Ranked) -> pa.Table:
    """Rows (``tables.SAMPLE``) with what is written for them (``tables.TRANSDUCTIONS``)."""
    listed = ranked.words.tolist()
    kept = (ranked.words != "").tolist()
    pairs = list(zip(listed, ranked.shares.tolist(), kept, strict=True))
    columns = [
        *rows.select(tables.ROWS.names).columns,
        pa.array(ranked.words[:, 0], pa.string()),
        ranked.chosen,
        pa.array(ranked.shares[:, 0], pa.float32()),
        [[word for word, there in zip(w, k, strict=True) if there] for w, _, k in pairs],
        [[share for share, there in zip(s, k, strict=True) if there] for _, s, k in pairs],
    ]
    return pa.table(columns, schema=tables.TRANSDUCTIONS)


def by_value(rows: pa.Table, hits: Bools) -> pd.DataFrame:
    """How many of the rows with a value of a feature are right: label (the value), recall, support."""
    bundles = [features.all_tags(bundle or "") for bundle in rows["features"].to_pylist()]
    frame = pd.DataFrame({"label": bundles, "recall": hits}).explode("label").dropna()
    table: pd.DataFrame = (
        frame.groupby("label")["recall"].agg(["mean", "size"]).set_axis(["recall", "support"], axis=1)
    )
    return table.reset_index()


WRITING = Evaluator(BASELINES, baselines, scores_of, expressible, edits.confusion)
"""Of words that are written."""
