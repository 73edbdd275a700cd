"""The tasks of ``params.yaml``: a union by kind and by source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, field_validator

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


class ClassifyTask(Section):
    """One label for a word; where the rows come from is what the two kinds of source differ in."""

    kind: Literal["classify"]
    raw: TablePath
    """Path of a table relative to the repository, or of a folder of three. Tables are only read."""
    splits: GivenSplits | None = None
    """The three tables, if ``raw`` is a folder. (DVC wants one path, so they lie in one folder.)"""
    model: Name
    """A key of ``models``."""
    train: dict[str, Any] = Field(default={})
    """Values of the section ``train`` that differ for this task."""
    leakage: Literal["report", "refuse"] = "report"
    """Of given splits: what happens if lemmas or forms are in two of them."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Paths of the tables it reads: one, or those of train, dev and test."""
        if self.splits is None:
            return (self.raw,)
        names = (self.splits.train, self.splits.dev, self.splits.test)
        return tuple(f"{self.raw}/{name}" for name in names)


class UnimorphTask(ClassifyTask):
    """One feature of one part of speech of a UniMorph table."""

    source: Literal["unimorph"] = "unimorph"
    pos: Pos
    """Part of speech, or several: the first tag of a bundle, exactly."""
    feature: str
    """A dimension of UniMorph's schema."""
    columns: Annotated[list[Literal["lemma", "form", "tags"]], Field(min_length=3, max_length=3)] | None = (
        None
    )
    """The order of the columns if it is not lemma, form, tags."""

    @property
    def parts_of_speech(self) -> tuple[str, ...]:
        """Those whose rows are wanted."""
        return (self.pos,) if isinstance(self.pos, str) else tuple(self.pos)

    @field_validator("feature")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in features.DIMENSIONS:
            raise ValueError(f"should be one of {', '.join(features.DIMENSIONS)}")
        return name

    @field_validator("columns")
    @classmethod
    def _are_different(cls, columns: list[str] | None) -> list[str] | None:
        if columns and len(set(columns)) < len(columns):
            raise ValueError("should name lemma, form and tags once each")
        return columns


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


def kind_of_task(value: Any) -> str:
    """The tag of a task."""
    read = value.get if isinstance(value, dict) else lambda name, default=None: getattr(value, name, default)
    return f"{read('kind', 'nothing')} from {read('source', 'unimorph')}"


Task = Annotated[
    Annotated[UnimorphTask, Tag("classify from unimorph")]
    | Annotated[ColumnsTask, Tag("classify from columns")],
    Discriminator(
        kind_of_task,
        custom_error_type="kind",
        custom_error_message="kind and source should be classify from unimorph or from columns",
    ),
]
