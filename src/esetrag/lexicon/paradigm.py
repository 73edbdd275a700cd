"""The cells of Hungarian paradigms, in Hunspell's names and in UniMorph's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

CASES = {
    "NOM": "NOM",
    "ACC": "ACC",
    "DAT": "DAT",
    "INSTR": "INST",
    "CAUS/FIN": "PRP",
    "TRANS": "TRANS",
    "TERM": "TERM",
    "FORM": "FRML",
    "INE": "IN+ESS",
    "SUE": "ON+ESS",
    "ADE": "AT+ESS",
    "ILL": "IN+ALL",
    "SBL": "ON+ALL",
    "SUBS": "ON+ALL",
    "ALL": "AT+ALL",
    "ELA": "IN+ABL",
    "DEL": "ON+ABL",
    "ABL": "AT+ABL",
}
"""Hunspell's case names and UniMorph's; ESS (-ul), TEMP and POSTP have no counterpart."""

MOODS = {
    "PRES_INDIC": "IND;PRS",
    "PAST_INDIC": "IND;PST",
    "PRES_COND": "COND;PRS",
    "SUBJ/IMPER": "SBJV;PRS",
}
"""Tense and mood; the future of *lesz* alone is left out."""

PERSONS = {
    f"{mood}_{definite}_{number}_{person}": f"{tags};{tag};{person};{number}"
    for (mood, tags), (definite, tag), number, person in product(
        MOODS.items(), (("INDEF", "INDF"), ("DEF", "DEF")), ("SG", "PL"), ("1", "2", "3")
    )
}
"""Hunspell's names of the finite cells and UniMorph's; *-lak* (SG_1_OBJ_2) has no counterpart."""


@dataclass(frozen=True, slots=True)
class LemmaPrior:
    """How a part of speech is inflected."""

    pos: str
    """UniMorph's part of speech."""
    entry: str
    """The field by which Hunspell knows it."""
    values: dict[str, str]
    """Hunspell's value of a field to UniMorph's tags."""
    base: str
    """The tags of a form to which further suffixes go."""
    numbers: tuple[str, ...]
    """What stands behind the tags: the numbers of a noun. A verb's are among its tags."""

    @property
    def cells(self) -> list[str]:
        """The bundles of a whole paradigm, in the order in which they are written."""
        tags = dict.fromkeys(self.values.values())
        return [f"{self.pos};{tag}{number}" for tag in tags for number in self.numbers]

    def bundle(self, tags: str, plural: bool) -> str:
        """The bundle of a cell; a verb has no plural beside its tags."""
        return f"{self.pos};{tags}{self.numbers[plural]}"


NOUN = LemmaPrior("N", "po:noun", CASES, "NOM", (";SG", ";PL"))
VERB = LemmaPrior("V", "po:vrb", PERSONS, PERSONS["PRES_INDIC_INDEF_SG_3"], ("",))
