"""Pages allow their own style and nothing else, and text of others stays text."""

from __future__ import annotations

import base64
import hashlib
import re

from triggers.pages import html, parts


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    page = html.page("a", ["<h1>a</h1>"])
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "script" not in policy


def test_markup_quotes_and_controls_are_escaped() -> None:
    assert html.text("<a b=\"c\" d='e'>\x1b\u202e&") == "&lt;a b=&quot;c&quot; d=&#x27;e&#x27;&gt;\\x1b\\u202e&amp;"
    assert html.lines("a <b>\n\tc\x1b\r\n") == "a &lt;b&gt;\n    c\\x1b\n"


def test_a_table_says_how_many_rows_it_leaves_out() -> None:
    table = parts.table("Some", ("name", "count"), [(f"row {number}", number) for number in range(7)], most=5)
    assert table.count('<th scope="row">') == 5 and 'scope="col">count' in table and "<caption>Some</caption>" in table
    assert table.endswith("and 2 more rows</p>")
    assert parts.table("None", ("name",), []) == ""


def test_plots_have_a_text_alternative_and_stay_inside() -> None:
    for plot in (
        parts.share_bar("p", 0.5, 2.0, None),
        parts.interval_bar("p", -5, 3, 1e300, 10),
        parts.interval_bar("p", 0, 0, 0, 0),
        parts.marks("p", [-1, 0.5, 7]),
    ):
        assert 'role="img" aria-label="p' in plot
        places = [float(value) for value in re.findall(r' (?:x|x1|x2|width)="([^"]*)"', plot)]
        assert all(0 <= place <= parts.WIDTH for place in places)
    assert parts.share_bar("p", None, None, None) == ""
