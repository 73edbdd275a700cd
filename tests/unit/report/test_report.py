from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Literal

import pandas as pd
import pytest

from esetrag.report import report
from esetrag.report.report import Head, Letters, Section

HEAD = Head("Case: toy", "97.5%", "of 40 forms are read right", [("table", "data/raw/toy.tsv")])
ERRORS = pd.DataFrame(
    {
        "form": [Letters("házat", [0.0, 0.1, -1.0, 2.0, 4.0]), "kert"],
        "true": ["NOM", "ACC"],
        "read as": ["ACC", "NOM"],
        "P": [0.987, None],
        "rank": [1234, 2],
    }
)
BROWSER = Section(
    "Misread forms", table=ERRORS, kind="browser", formats={"P": ".1%"}, filters=("kind", "true")
)
EVIL = "<script>alert(1)</script>\"'&<b onclick=x>"


class Page(HTMLParser):
    """What a browser would make of the page, as far as the tests ask."""

    VOID = ("meta", "input", "br", "use", "path")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def page(*sections: Section, head: Head = HEAD) -> Page:
    return Page(report.page(head, sections))


def test_the_page_is_whole_and_has_head_sections_and_a_way_to_them() -> None:
    found = page(Section("Results", "One.\n\nTwo."), Section("In figures", within=True), BROWSER)
    assert found.open == [], "every element is closed"
    assert found.of("h1") == ["Case: toy"]
    assert found.of("strong") == ["97.5%"]
    assert found.of("h2") == ["Results", "Misread forms"]
    assert found.of("h3") == ["In figures"]
    assert found.of("p")[-2:] == ["One.", "Two."]
    ids = [attributes.get("id") for attributes in found.all("section")]
    assert [link["href"] for link in found.all("a")] == ["#results", "#misread-forms"]
    assert ids == ["results", "in-figures", "misread-forms"]
    assert found.all("html")[0]["lang"] == "en"


def test_nothing_is_asked_of_the_network() -> None:
    html = report.page(
        HEAD, [BROWSER, Section("Curve", picture="<svg viewBox='0 0 1 1'></svg>", alt="a curve")]
    )
    found = Page(html)
    assert not re.findall(r"https?:|//[a-z]|@import|url\(", html)
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in found.tags}
    assert all("src" not in attributes for _, attributes in found.tags)
    assert all(str(attributes.get("href", "#")).startswith("#") for _, attributes in found.tags)


def test_the_policy_lets_no_script_run_but_the_pages_own() -> None:
    html = report.page(HEAD, [BROWSER])
    [policy] = [meta["content"] for meta in Page(html).all("meta") if "http-equiv" in meta]
    script = html[html.index("<script>") + len("<script>") : html.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@pytest.mark.parametrize("place", ["head", "title", "text", "cell", "letters", "name", "choice", "alt"])
def test_whatever_it_shows_is_inert(place: str) -> None:
    cell = Letters(EVIL, [1.0] * len(EVIL)) if place == "letters" else EVIL if place == "cell" else "x"
    column, value = (EVIL if place == which else "form" for which in ("name", "choice"))
    table = pd.DataFrame({column: [cell], "true": [value]})
    section = Section(
        EVIL if place == "title" else "Forms",
        EVIL if place == "text" else "",
        table,
        "<svg></svg>",
        EVIL if place == "alt" else "",
        kind="browser",
        filters=("true",),
    )
    head = Head(EVIL, EVIL, EVIL, [(EVIL, EVIL)]) if place == "head" else HEAD
    html = report.page(head, [section])
    found = Page(html)
    assert len(found.all("script")) == 1
    assert found.all("b") == []
    assert all("onclick" not in attributes for _, attributes in found.tags)
    shown = [text for _, text in found.texts] + [str(figure["aria-label"]) for figure in found.all("figure")]
    assert EVIL.replace(" ", "") in "".join(shown).replace(" ", "")


def test_tables_are_sorted_by_buttons_and_scrolled_by_keyboard() -> None:
    found = page(BROWSER)
    assert found.of("button") == ["Clear", "form", "true", "read as", "P", "rank"]
    assert [head["scope"] for head in found.all("th")] == ["col"] * 5
    [frame] = [each for each in found.all("div") if each.get("class") == "wide"]
    assert (frame["tabindex"], frame["role"]) == ("0", "region")
    assert frame["aria-label"]
    assert all(button["type"] for button in found.all("button"))


def test_the_browser_searches_and_chooses_by_the_columns_that_are_there() -> None:
    found = page(BROWSER)
    assert [box["type"] for box in found.all("input")] == ["search"]
    assert [choice["data-column"] for choice in found.all("select")] == ["1"], "there is no column kind"
    assert found.of("option") == ["all", "ACC", "NOM"]
    [form] = found.all("form")
    assert form["data-for"] in [table["id"] for table in found.all("table")]


def test_numbers_are_written_as_asked() -> None:
    found = page(BROWSER)
    cells = found.of("td")
    assert "98.7%" in cells
    assert "–" in cells, "there is none"
    assert "1,234" in cells
    numeric = [head.get("class") for head in found.all("th")]
    assert numeric == [None, None, None, "number", "number"]


def test_a_form_is_coloured_letter_by_letter() -> None:
    html = report.page(HEAD, [BROWSER])
    assert '<span class="letters">há<i class="n2">z</i><i class="p4">a</i><i class="p9">t</i></span>' in html


def test_letters_without_scores_have_no_colour() -> None:
    assert Letters("ab", [0.0, 0.0]).shades == [("a", 0), ("b", 0)]


def test_a_matrix_leads_to_its_forms_and_shades_by_count() -> None:
    table = pd.DataFrame(
        [["90%", 9], [1, "100%"]], index=["ACC", "NOM"], columns=["ACC", "NOM"], dtype=object
    )
    found = page(Section("Confusions", table=table, kind="matrix"))
    leads = [(each["data-true"], each["data-read"]) for each in found.all("button") if "data-true" in each]
    assert leads == [("ACC", "NOM"), ("NOM", "ACC")]
    assert [cell["class"] for cell in found.all("td")] == ["corner", "right", "m9", "m3", "right"]


def test_bars_are_as_long_as_their_share_of_the_greatest() -> None:
    table = pd.DataFrame({"length": ["a", "b"], "share": [0.2, 0.05]})
    found = page(Section("By length", table=table, bars=("share",), formats={"share": ".1%"}))
    assert [cell.get("style") for cell in found.all("td") if "style" in cell] == ["--w:100%", "--w:25%"]


def test_a_folded_table_is_there_and_closed() -> None:
    [details] = page(Section("All", table=ERRORS, kind="facts", folded=True)).all("details")
    assert "open" not in details


def test_thousands_of_errors_fit_and_what_is_left_out_is_told() -> None:
    rows = 9000
    table = pd.DataFrame(
        {
            "form": [Letters("megszentségteleníthetetlen", [1.0] * 26)] * 500
            + ["elkelkáposztástalanít"] * (rows - 500),
            **{name: ["N;NOM;SG | N;ACC;SG"] * rows for name in ("lemma", "true", "read as", "features")},
            **{name: [0.987] * rows for name in ("P(read as)", "P(true)")},
        }
    )
    html = report.page(HEAD, [Section("Misread forms", table=table, kind="browser")])
    assert len(html.encode()) < 2 * 2**20
    assert f"{rows - report.BROWSED:,} more rows are not shown here." in html


@pytest.mark.parametrize(
    ("kind", "longest"), [("table", report.LONGEST), ("browser", report.LONGEST_BROWSED)]
)
def test_a_cell_of_endless_text_is_cut(kind: Literal["table", "browser"], longest: int) -> None:
    html = report.page(HEAD, [Section("Left out", table=pd.DataFrame({"why": ["x" * 5000]}), kind=kind)])
    assert f">{'x' * (longest - 1)}…</td>" in html


def test_the_same_content_is_the_same_page() -> None:
    assert report.page(HEAD, [BROWSER]) == report.page(HEAD, [BROWSER])


def test_a_section_without_table_and_picture_is_text_alone() -> None:
    found = page(Section("Where it misreads", "Here."))
    assert found.all("table") == found.all("figure") == []
    assert "Here." in found.of("p")


def test_an_empty_table_is_its_heading() -> None:
    found = page(Section("Nothing", table=ERRORS.head(0)))
    assert len(found.all("th")) == 5
    assert found.all("td") == []
