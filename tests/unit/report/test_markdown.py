from __future__ import annotations

from esetrag.report import markdown


def test_a_table_has_a_heading_a_rule_and_a_line_a_row() -> None:
    assert markdown.table(("case", "forms"), [("ACC", 7), ("NOM", "1,000")], "lr") == (
        "| case | forms |\n| --- | ---: |\n| ACC | 7 |\n| NOM | 1,000 |"
    )


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown.table(("a|b",), [("c|d",)], "l") == "| a\\|b |\n| --- |\n| c\\|d |"


def test_a_table_without_rows_has_its_heading() -> None:
    assert markdown.table(("a", "b"), [], "ll") == "| a | b |\n| --- | --- |"
