from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from esetrag.report import markdown
from esetrag.report.section import Headline, Letters, Picture, Section, Table, distinct

TABLE = Table(
    pd.DataFrame(
        {
            "form": [Letters("házat", (0.0, 0.1, -1.0, 2.0, 4.0)), "a|b"],
            "share": [0.25, None],
            "rows": [1234, 2],
        }
    ),
    "Forms",
    {"share": ".1%"},
    marked=1,
    limit=1,
)


def test_cells_are_aligned_and_bars_escaped() -> None:
    text = markdown.table(("a", "b|c"), [("x|y", 1), ("", 23)], "lr")
    assert text == "| a | b\\|c |\n| --- | ---: |\n| x\\|y | 1 |\n|  | 23 |"


def test_a_page_has_all_blocks_in_order() -> None:
    pictures = (Picture(Figure(), "a curve", "curve", png=True), Picture(Figure(), "in HTML alone", "other"))
    page = Section(
        "Page", (Headline("97%", "of all"), "Text.", {"name": "<b>"}, Section("Part", (TABLE, *pictures)))
    )
    assert markdown.render(page) == (
        "# Page\n\n**97%** of all\n\nText.\n\n- name: &lt;b>\n\n## Part\n\n**Forms**\n\n"
        "| form | share | rows |\n| --- | ---: | ---: |\n| ház**at** | 25.0% | 1,234 |\n\n"
        "1 more rows are not shown here.\n\n![a curve](plots/curve.png)\n"
    )
    assert page.pictures() == list(pictures)


def test_the_terminal_has_aligned_columns() -> None:
    assert markdown.plain(TABLE) == "form   share   rows\nházat  25.0%  1,234\na|b        –      2"
    assert markdown.plain(TABLE, 1).count("\n") == 1


def test_empty_and_repeated_columns_are_left_out() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, None], "b": [1.0, None], "c": ["", ""], "d": [None, None], "e": [1.0, 2.0]}
    )
    assert [*distinct(frame)] == ["a", "e"]
    assert Letters("ab", (0.0, 0.0)).levels == [0, 0]


def test_no_cell_opens_a_tag() -> None:
    evil = "<script>"
    cells = [evil, evil, Letters(evil, (1.0, *[0.0] * 7))]
    text = markdown.render(Section("Page", (Table(pd.DataFrame({"form": cells}), marked=1),)))
    assert "<" not in text
    assert text.count("&lt;") == 3
