"""The models of ``params.yaml``, a union by kind, and how they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator

from esetrag.core.section import MOST_SEEDS, MOST_THREADS, Count, Head, Name, Section, Seed, Share, Size

BASELINES = frozenset(
    ("logistic_regression", "longest_suffix", "majority", "differing_endings", "similarity", "edit_rules",
     "copy", "longest_suffix_split", "frequent_tags")
)  # fmt: skip
"""Names that no model may have: its figures and those of the baseline would stand in one place."""


class Train(Section):
    """Training of every model; ``device`` and what follows is for networks trained by gradient descent."""

    seed: Seed
    repeats: Annotated[int, Field(ge=0, le=MOST_SEEDS)]
    """Further trainings with the seeds that follow."""
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    analogies: Annotated[int, Field(ge=0, le=10**7)]
    """Forms made by analogy in all."""
    unaccented: Share
    """Share of them without accents."""
    patience: Count | None
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:[0-9]{1,2})?|mps)$")]
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    min_steps: Annotated[int, Field(ge=0, le=10**7)]
    """Batches at least, whatever ``epochs``."""
    batch_size: Annotated[int, Field(ge=1, le=2**20)]
    pool: Annotated[int, Field(ge=1, le=2**20)]
    shuffle: bool
    schedule: Literal["constant", "one-cycle"]
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Share
    clip: Annotated[float, Field(gt=0)] | None


class Calibration(Section):
    """How far probabilities are to be trusted, fitted on dev."""

    temperature: bool
    risk: Annotated[float, Field(gt=0, lt=1)]
    prior: dict[str, Annotated[float, Field(gt=0, lt=1)]] | None
    """Of classifiers with ``softmax``: how frequent labels are in their texts; the others share the rest."""

    @field_validator("prior")
    @classmethod
    def _leaves_a_rest(cls, prior: dict[str, float] | None) -> dict[str, float] | None:
        if prior and sum(prior.values()) > 1:
            raise ValueError("should add up to 1 at most")
        return prior


class Expert(Section):
    """A model that is trained by itself."""

    task_kind: ClassVar[str] = "classify"
    """The kind of task that it is for."""
    head: Head

    def chosen(self, prefixes: bool) -> Self:  # noqa: ARG002
        """The same with what dev has chosen."""
        return self

    def epochs(self, train: Train) -> int:
        """Epochs that training takes if it is not stopped and rows are many."""
        return train.epochs


class BilstmModel(Expert):
    """A (bi)directional LSTM over the symbols of a word."""

    kind: Literal["bilstm"]
    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    bidirectional: bool
    dropout: Share
    lemmas: bool
    """Whether the lemma prior stands beside it, as far as dev wants it; it needs characters for symbols."""


class NgramModel(Expert):
    """Softmax regression on the n-grams at the ends of a word."""

    kind: Literal["ngram"]
    longest: Annotated[int, Field(ge=1, le=32)]
    prefixes: bool
    """Whether n-grams at the beginning, and those with a gap, may have weights too; dev decides."""
    iterations: Annotated[int, Field(ge=1, le=100_000)]
    penalty: Annotated[float, Field(ge=0)]
    lemmas: bool

    def chosen(self, prefixes: bool) -> Self:
        """The same with what dev has chosen."""
        return self.model_copy(update={"prefixes": self.prefixes and prefixes})

    def epochs(self, train: Train) -> int:  # noqa: ARG002
        """Each iteration is one."""
        return self.iterations


class WithoutPrior(Expert):
    """A model of its own kind of task: the lemma prior is one of classifiers of words."""

    head: Literal["softmax"] = "softmax"

    @property
    def lemmas(self) -> bool:
        """Whether the lemma prior stands beside it."""
        return False


class Seq2seqModel(WithoutPrior):
    """A BiLSTM encoder and an LSTM decoder with attention."""

    task_kind: ClassVar[str] = "transduce"
    kind: Literal["seq2seq"]
    attention: Literal["luong", "bahdanau"]
    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    """Of the encoder."""
    dropout: Share
    beam: Annotated[int, Field(ge=1, le=64)]
    """Outputs that decoding goes on with at each step; 1 is greedy."""
    ensemble: Annotated[int, Field(ge=1, le=15)]
    """Networks, each of its own random weights, that vote: seeds of one recipe differ by points."""
    rules: bool
    """Whether longest-suffix edit rules stand beside it, as far as dev wants them."""


class _Tagger(WithoutPrior):
    """A BiLSTM encoder and a linear layer on its outputs."""

    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    dropout: Share
    ensemble: Annotated[int, Field(ge=1, le=15)]
    """Networks that vote, as of ``Seq2seqModel``."""

    @property
    def rules(self) -> bool:
        """Edit rules are for scripts."""
        return False


class TaggerModel(_Tagger):
    """At each letter."""

    task_kind: ClassVar[str] = "tag"
    kind: Literal["tagger"]


class WordTaggerModel(_Tagger):
    """At each word of a sentence, which is read as a vector of its own and by a BiLSTM over its letters."""

    task_kind: ClassVar[str] = "tag_words"
    kind: Literal["word_tagger"]
    word_dropout: Share
    """Of words that stand as unknown ones in training, so that the network learns from letters alone."""


class SiameseModel(WithoutPrior):
    """One BiLSTM encoder for both texts of a pair, and a hidden layer on what it makes of them."""

    task_kind: ClassVar[str] = "pair"
    kind: Literal["siamese"]
    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    dropout: Share
    symmetric: bool
    """Whether the order of the two is without influence."""


AnyExpert = BilstmModel | NgramModel | Seq2seqModel | TaggerModel | WordTaggerModel | SiameseModel
GradientModel = BilstmModel | Seq2seqModel | TaggerModel | WordTaggerModel | SiameseModel
"""Trained by gradient descent."""


class BlendModel(Section):
    """A product of other models; their weights are fitted on dev."""

    task_kind: ClassVar[str] = "classify"
    kind: Literal["blend"]
    experts: Annotated[list[Name], Field(min_length=1, max_length=16)]
    """Keys of ``models``."""
    lemmas: bool


@dataclass(frozen=True)
class Resolved:
    """A model with what it is made of."""

    name: str
    experts: list[AnyExpert]
    lemmas: bool

    @property
    def head(self) -> Head:
        """Meaning of the scores, the same for all experts."""
        return self.experts[0].head

    @property
    def has_prefixes(self) -> bool:
        """Whether an expert may have n-grams at the beginning of words."""
        return any(isinstance(expert, NgramModel) and expert.prefixes for expert in self.experts)


class Compared(tuple[Resolved, ...]):
    """Models that are trained to be compared with the task's own."""


Model = Annotated[
    AnyExpert | BlendModel,
    Field(discriminator="kind"),
]
