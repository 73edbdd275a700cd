"""Expands the Hungarian Hunspell dictionary into paradigms in UniMorph's three columns.

The dictionary's affix rules carry morphological fields (``is:INE``, ``is:PLUR``), so the
complete paradigm of every noun and verb, labels included, can be derived from it:

    python data/raw/hunspell_to_unimorph.py hu_HU.aff hu_HU.dic hun.tsv.gz --lemmas 3000
    python data/raw/hunspell_to_unimorph.py hu_HU.aff hu_HU.dic hun-verbs.tsv.gz --pos verb --lemmas 600

Three properties of the files matter: a flag is one *byte* (the text is UTF-8, the flags are not); an
integer in the place of flags or of morphological fields points into the alias tables ``AF`` and ``AM``;
and ``ts:`` fields are *terminal*, a further suffix removes them (man 5 hunspell), which is why ``házat``,
made from the entry ``házak ts:PLUR`` by a rule that says only ``is:ACC``, is a singular.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

CASES = {
    "NOM": "NOM", "ACC": "ACC", "DAT": "DAT", "INSTR": "INST", "CAUS/FIN": "PRP", "TRANS": "TRANS",
    "TERM": "TERM", "FORM": "FRML", "INE": "IN+ESS", "SUE": "ON+ESS", "ADE": "AT+ESS", "ILL": "IN+ALL",
    "SBL": "ON+ALL", "SUBS": "ON+ALL", "ALL": "AT+ALL", "ELA": "IN+ABL", "DEL": "ON+ABL", "ABL": "AT+ABL",
}  # fmt: skip
"""Hunspell's case names and UniMorph's; ESS (-ul), TEMP and POSTP have no counterpart."""
MOODS = {"PRES_INDIC": "IND;PRS", "PAST_INDIC": "IND;PST", "PRES_COND": "COND;PRS", "SUBJ/IMPER": "SBJV;PRS"}
"""Tense and mood; the future of *lesz* alone is left out."""
PERSONS = {
    f"{mood}_{definite}_{number}_{person}": f"{tags};{tag};{person};{number}"
    for (mood, tags), (definite, tag), number, person in product(
        MOODS.items(), (("INDEF", "INDF"), ("DEF", "DEF")), ("SG", "PL"), ("1", "2", "3")
    )
}
"""Hunspell's names of the finite cells and UniMorph's; *-lak* (SG_1_OBJ_2) has no counterpart."""
FORBIDDEN, ONLY_IN_COMPOUND, NEEDS_AFFIX = "w", "|", "u"
LEMMA = re.compile(r"[a-záéíóöőúüű]{3,}")

Paradigm = dict[str, set[str]]  # bundle -> forms


@dataclass(frozen=True)
class Inflection:
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


NOUN = Inflection("N", "po:noun", CASES, "NOM", (";SG", ";PL"))
VERB = Inflection("V", "po:vrb", PERSONS, PERSONS["PRES_INDIC_INDEF_SG_3"], ("",))


@dataclass(frozen=True)
class Rule:
    """One suffix rule: on a word that ends as ``condition`` says, ``strip`` becomes ``add``."""

    strip: str
    add: str
    condition: re.Pattern[str]
    tags: str
    plural: bool


@dataclass(frozen=True)
class Affixes:
    """The part of an ``.aff`` file that inflects a part of speech."""

    flags: list[str]  # AF: alias number - 1 -> flags, one Latin-1 character each
    fields: list[list[str]]  # AM: alias number - 1 -> morphological fields
    rules: dict[str, list[Rule]]  # flag -> rules

    @classmethod
    def read(cls, path: Path, kind: Inflection) -> Affixes:
        """Loads the alias tables and every suffix rule that makes one of the cells.

        Raises:
            ValueError: if a line is not as man 5 hunspell describes it.
        """
        flags: list[str] = []
        fields: list[list[str]] = []
        suffixes: list[tuple[int, list[bytes]]] = []
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            match line.split():  # bytes: str.split() would also split at Latin-1's NBSP and NEL
                case [b"AF", alias, *_]:
                    flags.append(alias.decode("latin-1"))
                case [b"AM", *alias_fields]:
                    fields.append([field.decode() for field in alias_fields])
                case [b"SFX", _, _, _, _, *_] as suffix:
                    suffixes.append((number, suffix))
        affixes = cls(flags[1:], fields[1:], defaultdict(list))  # the first alias is a count
        for number, (_, flag, strip, add, condition, *morphology) in suffixes:
            try:
                cell = _cell(affixes.resolve([field.decode() for field in morphology]), kind)
                if cell is None or cell[0] is None:
                    continue
                pieces = strip.decode(), add.split(b"/")[0].decode()
                removed, added = ("" if piece == "0" else piece for piece in pieces)
                # A hyphen is a letter like any other in a condition, also between brackets.
                pattern = re.compile(f"(?:{condition.decode().replace('-', chr(92) + '-')})$")
            except (UnicodeDecodeError, IndexError, re.error) as error:
                raise ValueError(f"{path}, line {number}: not a suffix rule ({error})") from error
            affixes.rules[flag.decode("latin-1")].append(Rule(removed, added, pattern, cell[0], cell[1]))
        return affixes

    def resolve(self, fields: list[str]) -> list[str]:
        """Follows an alias number into the table of morphological fields."""
        return self.fields[int(fields[0]) - 1] if len(fields) == 1 and fields[0].isdecimal() else fields


def _cell(fields: list[str], kind: Inflection) -> tuple[str | None, bool] | None:
    """The tags and whether it is a noun's plural; None if the fields say more than one cell."""
    tags, plural = None, False
    for field in fields:
        name, _, value = field.partition(":")
        if name == "ds":
            return None
        if name not in ("is", "ts"):
            continue
        if value == "PLUR":
            plural = True
        elif value in kind.values and tags is None:
            tags = kind.values[value]
        else:
            return None
    return tags, plural


def paradigms(aff: Path, dic: Path, kind: Inflection = NOUN) -> dict[str, Paradigm]:
    """For every common noun, or every verb, of a dictionary the forms of each cell that the rules fill."""
    affixes = Affixes.read(aff, kind)
    every = [rule for rules in affixes.rules.values() for rule in rules]
    reach = max((max(len(rule.condition.pattern), len(rule.strip)) for rule in every), default=0)

    @cache
    def suffixed(flags: str, ending: str) -> list[Rule]:
        # Rules look at a word's last letters only, so words of one ending share the outcome.
        rules = (rule for flag in flags for rule in affixes.rules.get(flag, ()))
        return [rule for rule in rules if ending.endswith(rule.strip) and rule.condition.search(ending)]

    lemmas: dict[str, Paradigm] = defaultdict(lambda: defaultdict(set))
    for word, flags, fields in _entries(dic, affixes):
        cell = _cell(fields, kind)
        if kind.entry not in fields or cell is None or FORBIDDEN in flags or ONLY_IN_COMPOUND in flags:
            continue
        tags, plural = cell
        lemma = _value("st", fields)
        lemma = _value("pr", fields) + lemma if lemma else word  # viszont + lát
        bound = NEEDS_AFFIX in flags or word.endswith("-")  # bike-, which rules make into bike-ok
        if tags is not None and not bound:
            lemmas[lemma][kind.bundle(tags, plural)].add(word)
        if tags in (None, kind.base):
            # A terminal plural (ts:PLUR) is lost under a further suffix, an inflectional one stays.
            stem_is_plural = "is:PLUR" in fields
            for rule in suffixed(flags, word[-reach:]):
                form = word[: len(word) - len(rule.strip)] + rule.add
                lemmas[lemma][kind.bundle(rule.tags, rule.plural or stem_is_plural)].add(form)
    return dict(lemmas)


def _value(name: str, fields: list[str]) -> str:
    """The value of a field, empty if there is none."""
    return next((field[3:] for field in fields if field.startswith(f"{name}:")), "")


def _entries(dic: Path, affixes: Affixes) -> Iterator[tuple[str, str, list[str]]]:
    for number, line in enumerate(dic.read_bytes().split(b"\n")[1:], start=2):
        if not line.strip():
            continue
        entry, _, morphology = line.partition(b"\t")
        word, _, flags = entry.partition(b"/")
        try:
            alias = flags.strip().decode("latin-1")
            resolved = affixes.flags[int(alias) - 1] if alias.isdecimal() else alias
            yield word.strip().decode(), resolved, affixes.resolve(morphology.decode().split())
        except (UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"{dic}, line {number}: not a dictionary entry ({error})") from error


def complete(lemmas: dict[str, Paradigm], kind: Inflection = NOUN) -> dict[str, Paradigm]:
    """Keeps lower-case Hungarian words of at least three letters that fill all cells."""
    size = len(kind.cells)
    return {lemma: cells for lemma, cells in lemmas.items() if LEMMA.fullmatch(lemma) and len(cells) == size}


def choose(lemmas: dict[str, Paradigm], count: int | None) -> list[str]:
    """The ``count`` lemmas of smallest SHA-256, sorted: a draw that no order can influence."""
    return sorted(sorted(lemmas, key=lambda lemma: hashlib.sha256(lemma.encode()).digest())[:count])


def table(lemmas: dict[str, Paradigm], chosen: list[str], kind: Inflection = NOUN) -> str:
    """The rows ``lemma<TAB>form<TAB>tags`` of the chosen lemmas, in a fixed order."""
    return "".join(
        f"{lemma}\t{form}\t{bundle}\n"
        for lemma in chosen
        for bundle in kind.cells
        for form in sorted(lemmas[lemma][bundle])
    )


def main() -> None:
    """Writes the paradigms of a dictionary as a UniMorph table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("aff", type=Path, help="hu_HU.aff of the Debian package hunspell-hu")
    parser.add_argument("dic", type=Path, help="hu_HU.dic of the same package")
    parser.add_argument("out", type=Path, help="the table to write, compressed if it ends in .gz")
    parser.add_argument("--lemmas", type=int, help="how many lemmas (default: all)")
    parser.add_argument("--pos", choices=("noun", "verb"), default="noun", help="default: %(default)s")
    options = parser.parse_args()
    kind = {"noun": NOUN, "verb": VERB}[options.pos]
    try:
        lemmas = complete(paradigms(options.aff, options.dic, kind), kind)
        text = table(lemmas, choose(lemmas, options.lemmas), kind).encode()
        packed = options.out.suffix == ".gz"
        options.out.write_bytes(gzip.compress(text, compresslevel=9, mtime=0) if packed else text)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    rows, digest = text.count(b"\n"), hashlib.sha256(text).hexdigest()
    print(f"{options.out}: {rows} rows, SHA-256 of the text {digest}")


if __name__ == "__main__":
    main()
