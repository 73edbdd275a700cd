"""The tasks of ``params.yaml``: a union by kind and by source."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from esetrag.core import features
from esetrag.core.section import Name, Section, TablePath
from esetrag.core.task_fields import (
    ALL,
    Columns,
    Feature,
    Order,
    PairColumns,
    Pos,
    SegmentColumns,
    SequenceColumns,
    each_once,
)


class GivenSplits(Section):
    """Names of the tables in a folder that are the training, development and test set as they stand."""

    train: TablePath
    dev: TablePath
    test: TablePath


class AnyTask(Section):
    """What tasks of all kinds have; where the rows come from is what kinds of source differ in."""

    kind: str
    raw: TablePath
    """Path of a table relative to the repository, or of a folder of three. Tables are only read."""
    splits: GivenSplits | None = None
    """The three tables, if ``raw`` is a folder. (DVC wants one path, so they lie in one folder.)"""
    model: Name
    """A key of ``models``."""
    sample: dict[str, Any] = Field(default={})
    train: dict[str, Any] = Field(default={})
    calibration: dict[str, Any] = Field(default={})
    """Values of the sections ``sample``, ``train`` and ``calibration`` that differ for this task."""
    leakage: Literal["report", "refuse"] = "report"
    """Of given splits: what happens if lemmas or forms are in two of them."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Paths of the tables it reads: one, or those of train, dev and test."""
        if self.splits is None:
            return (self.raw,)
        names = (self.splits.train, self.splits.dev, self.splits.test)
        return tuple(f"{self.raw}/{name}" for name in names)

    @property
    def cell(self) -> tuple[str, ...]:
        """The columns that say what is asked: rows that agree in them are one, with several labels."""
        return ("form",)

    @property
    def does(self) -> str:
        """What commands need of a task: that it ``inflects``, ``lemmatises``, ``analyzes`` or ``judges``."""
        return ""


class ClassifyTask(AnyTask):
    """One label for a word."""

    kind: Literal["classify"]


class TransduceTask(AnyTask):
    """A word written for a word: inflected, lemmatised, transcribed."""

    kind: Literal["transduce"]
    output: Literal["edits", "letters"] = "edits"
    """What is written: how the word changes, or each of its letters."""


class TagTask(AnyTask):
    """A tag for each letter of a word, which say what its segments are; or for each word of a sentence."""

    kind: Literal["tag"]


class PairTask(AnyTask):
    """A label for two texts."""

    kind: Literal["pair"]


class UnimorphTask(ClassifyTask):
    """One feature of a part of speech of a UniMorph table, or several: then a label is a bundle."""

    source: Literal["unimorph"] = "unimorph"
    pos: Pos
    """Part of speech, or several: the first tag of a bundle, exactly."""
    feature: Feature
    """A dimension of UniMorph's schema; or several, or ``all``."""
    columns: Order = None

    @property
    def does(self) -> str:
        """It ``analyzes`` if a label is a bundle of features."""
        return "analyzes" if self.feature == ALL or not isinstance(self.feature, str) else ""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The features that are asked for."""
        if isinstance(self.feature, str):
            return tuple(features.DIMENSIONS) if self.feature == ALL else (self.feature,)
        return tuple(self.feature)


class InflectionTask(TransduceTask):
    """Forms of lemmas, or lemmas of forms, of a UniMorph table."""

    source: Annotated[
        list[Literal["features", "lemma", "form"]], Field(min_length=1), AfterValidator(each_once)
    ]
    """What is given: ``[features, lemma]`` to inflect, ``[form]`` to lemmatise."""
    target: Literal["form", "lemma"]
    pos: Pos | None = None
    """Part of speech, or several; without it all."""
    columns: Order = None

    @property
    def given(self) -> str:
        """The word that is given: ``lemma`` or ``form``."""
        return next(name for name in self.source if name != "features")

    @property
    def cell(self) -> tuple[str, ...]:
        """A lemma may be asked for with each of its bundles."""
        return ("form", "features") if "features" in self.source else ("form",)

    @property
    def does(self) -> str:
        """Forms of lemmas with features, or lemmas of forms without."""
        kinds = {(True, "form"): "inflects", (False, "lemma"): "lemmatises"}
        return kinds.get(("features" in self.source, self.target), "")

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if len({*self.source} - {"features"}) != 1 or self.given == self.target:
            raise ValueError("source and target should be [features, lemma] and form, or [form] and lemma")
        return self


class ColumnsTask(ClassifyTask):
    """Labels of free text beside words, in a table of any columns."""

    source: Literal["columns"]
    columns: Columns


class SequencesTask(TransduceTask):
    """Any two columns of a table: graphemes to phonemes, transliteration."""

    source: Literal["columns"]
    columns: SequenceColumns

    @property
    def cell(self) -> tuple[str, ...]:
        """A word may be asked for with several bundles, if there are any."""
        return ("form",) if self.columns.features is None else ("form", "features")


class SpansTask(TagTask):
    """Stem, number and case of the nouns of a UniMorph table."""

    source: Literal["unimorph"] = "unimorph"
    pos: Pos
    """Part of speech, or several."""
    columns: Order = None


class SegmentsTask(TagTask):
    """Segmentations beside words, in a table of any columns."""

    source: Literal["columns"]
    columns: SegmentColumns


class SentencesTask(TagTask):
    """A field of the words of a CoNLL-U file."""

    source: Literal["conllu"]
    field: Annotated[str, StringConstraints(pattern=r"^(upos|xpos|deprel|feats|(feats|misc)\.[\w\[\]]+)$")]
    """``feats.Case`` and ``misc.NER`` are entries of lists."""


class BuiltPairsTask(PairTask):
    """Pairs made of the rows of a UniMorph table, after its split (``data.pairs``)."""

    source: Literal["unimorph"] = "unimorph"
    builder: Literal["valid", "same-lemma"]
    """``valid``: is this the lemma's form of these features? ``same-lemma``: do two forms share a lemma?"""
    pos: Pos
    """Part of speech, or several."""
    columns: Order = None

    @property
    def cell(self) -> tuple[str, ...]:
        """Rows stay apart until they are paired."""
        return ("lemma", "form", "features")

    @property
    def does(self) -> str:
        """It ``judges`` forms."""
        return "judges" if self.builder == "valid" else ""


class PairsTask(PairTask):
    """Labels of free text beside two texts, in a table of any columns."""

    source: Literal["columns"]
    columns: PairColumns


def kind_of_task(value: Any) -> str:
    """The tag of a task."""
    read = value.get if isinstance(value, dict) else lambda name, default=None: getattr(value, name, default)
    source = read("source", "unimorph")
    return f"{read('kind', 'nothing')} from {'unimorph' if isinstance(source, list) else source}"


def kind_key(value: Any) -> str:
    """Under which key the tables of packages have what a task does: its kind, or that of its elements."""
    kind, _, source = kind_of_task(value).partition(" from ")
    return "tag_words" if (kind, source) == ("tag", "conllu") else kind


Task = Annotated[
    Annotated[UnimorphTask, Tag("classify from unimorph")]
    | Annotated[ColumnsTask, Tag("classify from columns")]
    | Annotated[InflectionTask, Tag("transduce from unimorph")]
    | Annotated[SequencesTask, Tag("transduce from columns")]
    | Annotated[SpansTask, Tag("tag from unimorph")]
    | Annotated[SegmentsTask, Tag("tag from columns")]
    | Annotated[SentencesTask, Tag("tag from conllu")]
    | Annotated[BuiltPairsTask, Tag("pair from unimorph")]
    | Annotated[PairsTask, Tag("pair from columns")],
    Discriminator(
        kind_of_task,
        custom_error_type="kind",
        custom_error_message=(
            "kind and source should be classify, transduce, tag or pair from unimorph or columns, "
            "or tag from conllu"
        ),
    ),
]
