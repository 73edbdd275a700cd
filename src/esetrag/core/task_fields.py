"""Types of fields that tasks share, and what is said where a value does not fit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag

from esetrag.core import features
from esetrag.core.section import Section

ALL = "all"
"""All features that a part of speech has."""


def _type(value: Any) -> str:
    """The tag of a member of a union; parentheses keep it apart from the keys of the file."""
    return "(dict)" if isinstance(value, BaseModel) else f"({type(value).__name__})"


def _either(expected: str) -> Discriminator:
    """A union whose members differ in type, and what is said where none fits."""
    return Discriminator(_type, custom_error_type="either", custom_error_message=expected)


def each_once(names: list[str] | None) -> list[str] | None:
    """Refuses a list that names something twice."""
    if names and len(set(names)) < len(names):
        raise ValueError("should name each once")
    return names


def _known(asked: str | list[str]) -> str | list[str]:
    """Refuses features that the schema does not have."""
    known = {*features.DIMENSIONS, *([ALL] if isinstance(asked, str) else [])}
    if not {*([asked] if isinstance(asked, str) else asked)} <= known:
        raise ValueError(f"should be one of {', '.join(features.DIMENSIONS)}, a list of them or {ALL}")
    return asked


Pos = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")]
    | Annotated[list[str], Field(min_length=1), Tag("(list)")],
    _either("should be a part of speech or a list of them"),
]
Column = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")] | Annotated[int, Field(ge=1, le=10_000), Tag("(int)")],
    _either("should be the name of a column or its number"),
]
Feature = Annotated[
    Annotated[str, Tag("(str)")]
    | Annotated[list[str], Field(min_length=1), AfterValidator(each_once), Tag("(list)")],
    _either("should be a feature, a list of them or all"),
    AfterValidator(_known),
]
"""A dimension of UniMorph's schema, several of them, or ``ALL``."""
Order = Annotated[
    Annotated[list[Literal["lemma", "form", "tags"]], Field(min_length=3, max_length=3)] | None,
    AfterValidator(each_once),
]
"""The order of a UniMorph table's columns if it is not lemma, form, tags."""


class Columns(Section):
    """Which column of a table holds what: its name in the first line, or its number from 1 on."""

    form: Column
    label: Column
    lemma: Column | None = None
    weight: Column | None = None


class SequenceColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    source: Column
    target: Column
    features: Column | None = None
    lemma: Column | None = None
    weight: Column | None = None


class SegmentColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    form: Column
    segments: Column
    """Segmentations, ``makró @@k @@ban`` or ``makró|k|ban``."""
    lemma: Column | None = None
    """Without it the longest segment stands for it."""
    weight: Column | None = None


class PairColumns(Section):
    """Which column of a table holds what, as ``Columns``."""

    first: Column
    second: Column
    label: Column
    lemma: Column | None = None
    """What two parts should not share, whatever it is; without it the pair."""
    weight: Column | None = None
