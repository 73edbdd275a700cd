"""UniMorph's schema: which tags are values of which dimension, and how a bundle is taken apart.

Values after Sylak-Glassman (2016), *The Composition and Use of the Universal Morphological
Feature Schema (UniMorph Schema)*, table 2, and tags that published tables use beside it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable

DIMENSIONS: dict[str, frozenset[str]] = {
    name: frozenset(values.split())
    for name, values in {
        "Aktionsart": "STAT DYN TEL ATEL PCT DUR ACH ACCMP SEMEL ACTY",
        "Animacy": "ANIM INAN HUM NHUM",
        "Aspect": "IPFV PFV PRF PROG PROSP ITER HAB",
        # LOC (Turkic tables) and BYWAY (Hungarian since 2022) are not in the printed schema.
        "Case": "NOM ACC ERG ABS NOMS DAT BEN PRP GEN REL PRT INS COM VOC COMPV EQTV PRIV PROPR AVR"
        " FRML TRANS BYWAY ESS ALL ABL APUD INTER CIRC ANTE POST IN ON SUB AT LOC ONHR ONVR PROX REM"
        " APPRX TERM PROL VERS",
        "Comparison": "CMPR SPRL AB RL EQT",
        "Definiteness": "DEF INDF SPEC NSPEC",
        "Deixis": "PROX MED REMT REF1 REF2 NOREF PHOR VIS NVIS ABV EVEN BEL",
        "Evidentiality": "FH DRCT SEN VISU NVSEN AUD NFH QUOT RPRT HRSY INFER ASSUM",
        "Finiteness": "FIN NFIN",
        "Gender": "MASC FEM NEUT "
        + " ".join([f"BANTU{i}" for i in range(1, 24)] + [f"NAKH{i}" for i in range(1, 9)]),
        "Information": "TOP FOC",
        "Interrogativity": "DECL INT",
        "Mood": "IND SBJV REAL IRR AUPRP AUNPRP IMP COND PURP INTEN POT LKLY ADM OBLIG DEB PERM DED SIM OPT",
        "Number": "SG PL GRPL DU TRI PAUC GRPAUC INVN",
        "Person": "0 1 2 3 4 INCL EXCL PRX OBV",
        "Polarity": "POS NEG",
        "Politeness": "INFM FORM ELEV HUMB POL AVOID LOW HIGH STELEV STSUPR LIT FOREG COL",
        "Possession": "ALN NALN PSSD PSS1S PSS2S PSS2SF PSS2SM PSS2SINFM PSS2SFORM PSS3S PSS3SF PSS3SM PSS1D"
        " PSS1DI PSS1DE PSS2D PSS2DM PSS2DF PSS3D PSS3DF PSS3DM PSS1P PSS1PI PSS1PE PSS2P PSS2PF PSS2PM"
        " PSS3P PSS3PF PSS3PM PSS1 PSS2 PSS3",
        "Switch-reference": "SS SSADV DS DSADV OR CN_R_MN CN_R_MN_ADV LOG SEQ SEQMA SIMMA",
        "Tense": "PRS PST FUT IMMED HOD 1DAY RCT RMT",
        "Valency": "INTR TR DITR IMPRS REFL RECP CAUS APPL",
        "Voice": "ACT MID PASS ANTIP DIR INV AGFOC PFOC LFOC BFOC ACFOC IFOC CFOC",
    }.items()
}

PARTS_OF_SPEECH = frozenset(
    {"N", "PROPN", "ADJ", "PRO", "CLF", "ART", "DET", "V", "ADV", "AUX", "V.PTCP", "V.MSDR", "V.CVB"}
    | {"ADP", "COMP", "CONJ", "NUM", "PART", "INTJ"}
)
ALIASES = {"INST": "INS", "NDEF": "INDF", "PAST": "PST", "PRES": "PRS", "SING": "SG", "PLUR": "PL"} | {
    # Of Universal Dependencies only what is neither a tag of the schema (All, Sub) nor two features (Sup).
    "PAR": "PRT",
    "TRA": "TRANS",
    "ABE": "PRIV",
    "TER": "TERM",
    "DEL": "ON+ABL",
    "ADE": "AT+ESS",
    "INE": "IN+ESS",
    "ILL": "IN+ALL",
    "ELA": "IN+ABL",
}
"""Spellings that drifted between years and files, and the schema's own."""

HEADINGS = frozenset(
    {"singular", "plural", "dual", "definite", "indefinite", "masculine", "feminine", "neuter"}
    | {"nominative", "accusative", "genitive", "dative", "instrumental", "locative", "vocative"}
    | {"present", "past", "future", "indicative", "subjunctive", "imperative", "conditional"}
)
"""Headings of Wiktionary's tables that some files carry in the place of a form."""

ABSENT = "_"
"""The value of a dimension that a bundle does not have, as CoNLL-U writes it."""

_NEGATED = r"(?i:non|not)[({]+[^(){}]*[)}]*"  # non{PST} is not PST
_POSSESSOR = r"PSS\((?:[^()]|\([^()]*\))*\)?"  # PSS(3,SG): of the possessor, not of the noun
_SHORT = {"SG": "S", "PL": "P", "DU": "D", "MASC": "M", "FEM": "F", "INCL": "I", "EXCL": "E"}
"""What is one letter of a possessor's tag."""
MOST_CHOICES = 100
"""Tags that a choice stands for; one of more is a tag that nobody knows."""
_TAG = re.compile(rf"{_NEGATED}|{_POSSESSOR}|[^;:(){{}},\s]+")  # N;ACC;SG  V:PST:3:PL  V;PRS;ERG(3,SG)
_CHOICE = re.compile(r"([^;:(){},\s]*)\{([^{}]*/[^{}]*)\}([^;:(){},\s]*)")  # PSS{2/3}D
_FUSED = re.compile(r"([0-4])(SG|PL|DU)")  # 2SG
_NUMBERED = re.compile(r"([A-Z]+SPEC|BANTU|NAKH)0*([0-9]+)")  # LGSPEC02


def all_tags(bundle: str) -> list[str]:
    """The part of speech of a bundle and the tags behind it.

    >>> all_tags("N;ACC(SG)")
    ['N', 'ACC', 'SG']
    """
    return [part_of_speech(bundle), *tags(bundle)] if bundle else []


def part_of_speech(bundle: str) -> str:
    """The first tag of a bundle.

    >>> part_of_speech("V.PTCP;PST")
    'V.PTCP'
    """
    return re.split(r"[;:(){},\s]", bundle, maxsplit=1)[0]


def tags(bundle: str) -> list[str]:
    """The tags behind the part of speech: fused ones apart, choices expanded, a possessor as one tag.

    >>> tags("V;ACC(2SG)"), tags("V;non{PST}"), tags("N;PSS{2/3}D"), tags("N;ACC(PL);PSS(3,SG)")
    (['ACC', '2', 'SG'], ['non{PST}'], ['PSS2D/PSS3D'], ['ACC', 'PL', 'PSS3S'])
    """
    result: list[str] = []
    behind = bundle[len(part_of_speech(bundle)) :]
    if "{" in behind:
        behind = _CHOICE.sub(_choice, behind)
    for tag in _TAG.findall(behind):
        if fused := _FUSED.fullmatch(tag):
            result += fused.groups()
        elif tag.startswith("PSS("):
            result.append(_possessor(tag))
        else:
            result.append(tag)
    return result


def values(bundle: str, dimension: str) -> frozenset[str]:
    """The values of a dimension (a key of ``DIMENSIONS``) anywhere behind the part of speech.

    A conjunction keeps the parts that are values of the dimension; of a disjunction every alternative counts.

    >>> sorted(values("N;DEF;GEN;PL", "Case")), sorted(values("N;IN+ABL;SG", "Case"))
    (['GEN'], ['IN+ABL'])
    >>> sorted(values("N;SG;PSS3P", "Case")), sorted(values("N;NOM/ACC;SG", "Case"))
    ([], ['ACC', 'NOM'])
    """
    return frozenset[str]().union(*choices(bundle, dimension))


def choices(bundle: str, dimension: str) -> list[frozenset[str]]:
    """The values of a dimension tag by tag, each with its alternatives; two if a bundle marks two arguments.

    >>> [sorted(choice) for choice in choices("N;NOM/ACC;SG", "Case")]
    [['ACC', 'NOM']]
    """
    return [chosen for tag in tags(bundle) if (chosen := _values(tag, dimension))]


def combinations(values: Iterable[Iterable[str]]) -> list[str]:
    """The bundles of one value of each dimension; a dimension without a value is left out.

    >>> combinations([["ACC", "NOM"], ["SG"], []])
    ['ACC;SG', 'NOM;SG']
    """
    chosen = itertools.product(*(sorted(each) or [""] for each in values))
    return [";".join(filter(None, each)) for each in chosen]


def of_label(label: str, dimension: str) -> str:
    """The value of a dimension in a bundle that ``combinations`` made; ``ABSENT`` if it has none.

    >>> of_label("NOM;SG", "Number"), of_label("NOM;SG", "Possession")
    ('SG', '_')
    """
    return next(iter(values(f";{label}", dimension)), ABSENT)


def others(bundle: str, *dimensions: str) -> str:
    """The tags of a bundle beside its values of some dimensions.

    >>> others("N;DEF;GEN;PL", "Case"), others("N;DEF;GEN;PL", "Case", "Number")
    ('DEF;PL', 'DEF')
    """
    return ";".join(tag for tag in tags(bundle) if not any(_values(tag, name) for name in dimensions))


def spelling(tag: str) -> str:
    """The schema's spelling of a tag.

    >>> spelling("INST"), spelling("LGSPEC02"), spelling("in+ess")
    ('INS', 'LGSPEC2', 'IN+ESS')
    """
    return _respelt(tag.upper())


def known(tag: str) -> bool:
    """Whether the schema has a tag, or every part of a choice or conjunction.

    >>> known("IN+ESS"), known("LGSPEC2"), known("dövri")
    (True, True, False)
    """
    return all(
        part in PARTS_OF_SPEECH
        or re.fullmatch(r"LGSPEC[0-9]+", part)
        or any(part in names for names in DIMENSIONS.values())
        for part in re.split(r"[+/]", spelling(tag))
    )


def _choice(found: re.Match[str]) -> str:
    """``PSS{2/3}D`` as ``PSS2D/PSS3D``; a negation stays as it is."""
    before, chosen, behind = found.groups()
    if before.lower() in ("non", "not"):
        return found[0]
    return "/".join(before + choice + behind for choice in chosen.split("/"))


def _possessor(tag: str) -> str:
    """``PSS(3,SG,MASC)`` as the schema's ``PSS3SM``, and with a choice ``PSS(2/3,DU)`` as ``PSS2D/PSS3D``."""
    parts = [part.split("/") for part in re.findall(r"[^,;()\s]+", tag)[1:]]
    if math.prod(map(len, parts)) > MOST_CHOICES:
        return tag
    return "/".join("PSS" + "".join(_SHORT.get(p, p) for p in chosen) for chosen in itertools.product(*parts))


def _respelt(tag: str) -> str:
    numbered = _NUMBERED.sub(r"\1\2", re.sub("BANT(?=[0-9])", "BANTU", tag))
    return re.sub(r"[^+/]+", lambda part: ALIASES.get(part[0], part[0]), numbered)


def _values(tag: str, dimension: str) -> frozenset[str]:
    alternatives = (choice.split("+") for choice in _respelt(tag).split("/"))
    known_parts = ("+".join(p for p in parts if p in DIMENSIONS[dimension]) for parts in alternatives)
    return frozenset(known_parts) - {""}
