"""The tasks of ``params.yaml``: a union by kind and by source."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, field_validator, model_validator

from esetrag.core import features
from esetrag.core.section import Name, Section, TablePath


class GivenSplits(Section):
    """Names of the tables in a folder that are the training, development and test set as they stand."""

    train: TablePath
    dev: TablePath
    test: TablePath


def _type(value: Any) -> str:
    """The tag of a member of a union; parentheses keep it apart from the keys of the file."""
    return "(dict)" if isinstance(value, BaseModel) else f"({type(value).__name__})"


def _either(expected: str) -> Discriminator:
    """A union whose members differ in type, and what is said where none fits."""
    return Discriminator(_type, custom_error_type="either", custom_error_message=expected)


Pos = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")]
    | Annotated[list[str], Field(min_length=1), Tag("(list)")],
    _either("should be a part of speech or a list of them"),
]
Column = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")] | Annotated[int, Field(ge=1, le=10_000), Tag("(int)")],
    _either("should be the name of a column or its number"),
]


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
    """Values of the sections ``sample`` and ``train`` that differ for this task."""
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


class ClassifyTask(AnyTask):
    """One label for a word."""

    kind: Literal["classify"]


class TransduceTask(AnyTask):
    """A word written for a word: inflected, lemmatised, transcribed."""

    kind: Literal["transduce"]
    output: Literal["edits", "letters"] = "edits"
    """What is written: how the word changes, or each of its letters."""


class TagTask(AnyTask):
    """A tag for each letter of a word: where its segments are, and what they are."""

    kind: Literal["tag"]


class PairTask(AnyTask):
    """A label for two texts."""

    kind: Literal["pair"]


Order = Annotated[list[Literal["lemma", "form", "tags"]], Field(min_length=3, max_length=3)] | None
"""The order of a UniMorph table's columns if it is not lemma, form, tags."""


def _each_once(names: list[str] | None) -> list[str] | None:
    if names and len(set(names)) < len(names):
        raise ValueError("should name each once")
    return names


class UnimorphTask(ClassifyTask):
    """One feature of one part of speech of a UniMorph table."""

    source: Literal["unimorph"] = "unimorph"
    pos: Pos
    """Part of speech, or several: the first tag of a bundle, exactly."""
    feature: str
    """A dimension of UniMorph's schema."""
    columns: Annotated[Order, AfterValidator(_each_once)] = None

    @field_validator("feature")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in features.DIMENSIONS:
            raise ValueError(f"should be one of {', '.join(features.DIMENSIONS)}")
        return name


class InflectionTask(TransduceTask):
    """Forms of lemmas, or lemmas of forms, of a UniMorph table."""

    source: Annotated[
        list[Literal["features", "lemma", "form"]], Field(min_length=1), AfterValidator(_each_once)
    ]
    """What is given: ``[features, lemma]`` to inflect, ``[form]`` to lemmatise."""
    target: Literal["form", "lemma"]
    pos: Pos | None = None
    """Part of speech, or several; without it all."""
    columns: Annotated[Order, AfterValidator(_each_once)] = None

    @property
    def given(self) -> str:
        """The word that is given: ``lemma`` or ``form``."""
        return next(name for name in self.source if name != "features")

    @property
    def cell(self) -> tuple[str, ...]:
        """A lemma may be asked for with each of its bundles."""
        return ("form", "features") if "features" in self.source else ("form",)

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if len({*self.source} - {"features"}) != 1 or self.given == self.target:
            raise ValueError("source and target should be [features, lemma] and form, or [form] and lemma")
        return self


class Columns(Section):
    """Which column of a table holds what: its name in the first line, or its number from 1 on."""

    form: Column
    label: Column
    lemma: Column | None = None
    weight: Column | None = None


class ColumnsTask(ClassifyTask):
    """Labels of free text beside words, in a table of any columns."""

    source: Literal["columns"]
    columns: Columns


class SequenceColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    source: Column
    target: Column
    features: Column | None = None
    lemma: Column | None = None
    weight: Column | None = None


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
    columns: Annotated[Order, AfterValidator(_each_once)] = None


class SegmentColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    form: Column
    segments: Column
    """Segmentations, ``makró @@k @@ban`` or ``makró|k|ban``."""
    lemma: Column | None = None
    """Without it the longest segment stands for it."""
    weight: Column | None = None


class SegmentsTask(TagTask):
    """Segmentations beside words, in a table of any columns."""

    source: Literal["columns"]
    columns: SegmentColumns


class BuiltPairsTask(PairTask):
    """Pairs made of the rows of a UniMorph table, after its split (``data.pairs``)."""

    source: Literal["unimorph"] = "unimorph"
    builder: Literal["valid", "same-lemma"]
    """``valid``: is this the lemma's form of these features? ``same-lemma``: do two forms share a lemma?"""
    pos: Pos
    """Part of speech, or several."""
    columns: Annotated[Order, AfterValidator(_each_once)] = None

    @property
    def cell(self) -> tuple[str, ...]:
        """Rows stay apart until they are paired."""
        return ("lemma", "form", "features")


class PairColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    first: Column
    second: Column
    label: Column
    lemma: Column | None = None
    """What two parts should not share, whatever it is; without it the pair."""
    weight: Column | None = None


class PairsTask(PairTask):
    """Labels of free text beside two texts, in a table of any columns."""

    source: Literal["columns"]
    columns: PairColumns


def kind_of_task(value: Any) -> str:
    """The tag of a task."""
    read = value.get if isinstance(value, dict) else lambda name, default=None: getattr(value, name, default)
    source = read("source", "unimorph")
    return f"{read('kind', 'nothing')} from {'unimorph' if isinstance(source, list) else source}"


Task = Annotated[
    Annotated[UnimorphTask, Tag("classify from unimorph")]
    | Annotated[ColumnsTask, Tag("classify from columns")]
    | Annotated[InflectionTask, Tag("transduce from unimorph")]
    | Annotated[SequencesTask, Tag("transduce from columns")]
    | Annotated[SpansTask, Tag("tag from unimorph")]
    | Annotated[SegmentsTask, Tag("tag from columns")]
    | Annotated[BuiltPairsTask, Tag("pair from unimorph")]
    | Annotated[PairsTask, Tag("pair from columns")],
    Discriminator(
        kind_of_task,
        custom_error_type="kind",
        custom_error_message=(
            "kind and source should be classify, transduce, tag or pair from unimorph or columns"
        ),
    ),
]
