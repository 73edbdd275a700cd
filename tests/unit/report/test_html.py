from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.figure import Figure

from esetrag.report import html, section
from esetrag.report.section import Block, Headline, Letters, Picture, Section, Table

ERRORS = pd.DataFrame(
    {
        "form": [Letters("házat", (0.0, 0.1, -1.0, 2.0, 4.0)), "kert"],
        "label": ["NOM", "ACC"],
        "P": [0.987, None],
        "rank": [1234, 2],
    }
)
BROWSER = Table(ERRORS, formats={"P": ".1%"}, filters=("kind", "label"))
EVIL = "<script>alert(1)</script>\"'&<b onclick=x>"


class Page(HTMLParser):
    """What a browser would make of the page, as far as the tests ask."""

    VOID = ("meta", "input", "br", "use", "path")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
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


def render(*blocks: Block) -> str:
    return html.render(Section("Report: toy", (Headline("97.5%", "of `40` forms"), *blocks)))


def page(*blocks: Block) -> Page:
    return Page(render(*blocks))


def test_the_page_is_whole_and_has_sections_and_links_to_them() -> None:
    facts = {"data": "`data/raw/toy.tsv`"}
    found = page(
        Section("Results", ("One.", facts, Section("In detail", ("Two.",)))), Section("More", (BROWSER,))
    )
    assert found.open == [], "every element is closed"
    assert found.of("h1") == ["Report: toy"]
    assert found.of("strong") == ["97.5%"]
    assert found.of("h2") == ["Results", "More"]
    assert found.of("h3") == ["In detail"]
    assert found.of("p") == ["One.", "Two."]
    assert found.of("code") == ["40", "data/raw/toy.tsv"]
    assert found.of("dt") == ["data"]
    assert [link["href"] for link in found.all("a")] == ["#results", "#more"]
    assert [each["id"] for each in found.all("section")] == ["results", "in-detail", "more"]
    assert found.all("html")[0]["lang"] == "en"


def test_the_page_asks_nothing_of_the_network() -> None:
    figure = Figure()
    figure.subplots().plot([0, 1])
    text = render(BROWSER, Section("Curve", (Picture(figure, "a curve", "curve"),)))
    found = Page(text)
    assert not re.findall(r"https?:|//[a-z]|@import|url\((?!#)", text)
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in found.tags}
    assert all("src" not in attributes for _, attributes in found.tags)
    assert all(str(attributes.get("href", "#")).startswith("#") for _, attributes in found.tags)


def test_the_policy_lets_no_script_run_but_the_pages_own() -> None:
    text = render(BROWSER)
    [policy] = [meta["content"] for meta in Page(text).all("meta") if "http-equiv" in meta]
    script = text[text.index("<script>") + len("<script>") : text.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@pytest.mark.parametrize(
    "block",
    [
        EVIL,
        f"`{EVIL}`",
        {EVIL: EVIL},
        Headline(EVIL, EVIL),
        Section(EVIL, (EVIL,)),
        Picture(Figure(), EVIL, "evil"),
        Table(pd.DataFrame({EVIL: [EVIL]}), EVIL),
        Table(pd.DataFrame({EVIL: [EVIL]}), EVIL, folded=True),
        Table(
            pd.DataFrame({"label": [EVIL], "form": [Letters(EVIL, (1.0,) * len(EVIL))]}), filters=("label",)
        ),
    ],
)
def test_whatever_it_shows_is_inert(block: Block) -> None:
    found = page(block)
    assert len(found.all("script")) == 1
    assert found.all("b") == []
    assert all("onclick" not in attributes for _, attributes in found.tags)
    shown = [text for _, text in found.texts] + [str(figure["aria-label"]) for figure in found.all("figure")]
    assert EVIL.replace(" ", "") in "".join(shown).replace(" ", "")


def test_tables_are_sorted_by_buttons_searched_and_filtered() -> None:
    text = render(BROWSER)
    found = Page(text)
    assert found.of("button") == ["Clear", "form", "label", "P", "rank"]
    assert [head.get("class") for head in found.all("th")] == [None, None, "number", "number"]
    [frame] = [each for each in found.all("div") if each.get("class") == "wide"]
    assert (frame["tabindex"], frame["role"], frame["aria-label"]) == ("0", "region", "table")
    assert [box["type"] for box in found.all("input")] == ["search"]
    assert [choice["data-column"] for choice in found.all("select")] == ["1"], "there is no column kind"
    assert found.of("option") == ["all", "ACC", "NOM"]
    assert {"98.7%", "–", "1,234"} <= {*found.of("td")}
    assert '<span class="letters">há<i class="n2">z</i><i class="p4">a</i><i class="p9">t</i></span>' in text


def test_bars_marks_and_folded_tables() -> None:
    table = Table(
        pd.DataFrame({"length": ["a", "b"], "share": [0.2, 0.05]}), "All", bars="share", marked=1, folded=True
    )
    found = page(table)
    assert [cell.get("style") for cell in found.all("td") if "style" in cell] == ["--w:100%", "--w:25%"]
    assert [row.get("class") for row in found.all("tr")] == [None, None, "marked"]
    assert found.of("summary") == ["All (2 rows)"]
    assert "open" not in found.all("details")[0]


def test_long_tables_and_cells_are_cut_and_the_page_says_so() -> None:
    forms = [Letters("megszentségteleníthetetlen", (1.0,) * 26)] * 500 + ["elkelkáposztástalanít"] * 8500
    table = pd.DataFrame({"form": forms, **{name: ["N;NOM;SG | N;ACC;SG"] * 9000 for name in "abcde"}})
    text = render(Table(table))
    assert len(text.encode()) < 2 * 2**20
    assert f"{9000 - html.MOST_ROWS:,} more rows are not shown here." in text
    assert f">{'x' * (section.LONGEST - 1)}…</td>" in render(Table(pd.DataFrame({"why": ["x" * 5000]})))


def test_an_empty_table_is_its_heading() -> None:
    found = page(Table(ERRORS.head(0)))
    assert (len(found.all("th")), found.all("td")) == (4, [])
