"""`longtail signals`: an operator publishes a catalog, an author gets it and applies against it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fleet_api.api_server import SIGNALS, campaign_text
from tests.fleet_api.cli.conftest import Longtail


def test_a_catalog_is_published_listed_got_and_applied_against(longtail: Longtail, tmp_path: Path) -> None:
    catalog, got, text = tmp_path / "signals.yaml", tmp_path / "got.yaml", tmp_path / "a.trigger"
    catalog.write_text(SIGNALS)
    text.write_text(campaign_text())
    assert "no signal catalog is published" in longtail("signals", "list").err
    shown = longtail("signals", "publish", "fleet", str(catalog), role="operator")
    assert re.fullmatch(r"fleet@1 is published, digest [0-9a-f]{64}\n", shown.out)
    assert longtail("signals", "list", "--ids").out == "fleet\n"
    longtail("signals", "get", "fleet@1", "-o", str(got), role="author")
    assert got.read_text() == SIGNALS
    applied = longtail("campaign", "apply", str(text), "--catalog", "fleet", role="author")
    assert applied.status == 0, applied.err
    assert re.search(r"^signal_catalog +fleet@1$", longtail("campaign", "show", "braking").out, re.MULTILINE)


def test_a_text_is_applied_against_one_catalog(longtail: Longtail, tmp_path: Path) -> None:
    text = tmp_path / "a.trigger"
    text.write_text(campaign_text())
    for options in ((), ("--signals", str(text), "--catalog", "fleet")):
        assert longtail("campaign", "apply", str(text), *options, role="author").status == 2
    unknown = longtail("campaign", "apply", str(text), "--catalog", "fleet", role="author")
    assert unknown.status == 1 and "signals list" in unknown.err


def test_an_authors_own_catalog_is_shown_as_such(longtail: Longtail, tmp_path: Path) -> None:
    catalog, text = tmp_path / "signals.yaml", tmp_path / "a.trigger"
    catalog.write_text(SIGNALS)
    text.write_text(campaign_text())
    longtail("campaign", "apply", str(text), "--signals", str(catalog), role="author")
    assert "its author's own" in longtail("campaign", "show", "braking").out
