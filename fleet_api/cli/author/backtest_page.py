"""`longtail backtest --html`: the report as a page, and what ran, which the JSON document says, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triggers.language.compile import Compilation


def what_ran(compilation: Compilation, file: Path, catalog_file: Path) -> dict[str, Any]:
    """What ran: the text with its imports and values, the campaigns with their digests, and the signal catalog."""
    from importlib.metadata import version

    from triggers.contracts.api.backtests.stated import RanCampaign, WhatRan
    from triggers.contracts.base import text_digest
    from triggers.foreign_text import escaped
    from triggers.signals.catalog import read_catalog_text

    ran = WhatRan(
        longtail=version("longtail"),
        file=escaped(file.name)[:300],
        source=compilation.source,
        catalog=escaped(catalog_file.name)[:300],
        catalog_digest=text_digest(read_catalog_text(catalog_file)),
        campaigns=tuple(
            RanCampaign(settings=each.settings, digest=each.digest) for each in compilation.campaigns.values()
        ),
    )
    return ran.model_dump(mode="json", exclude={"at"})


def write_page(path: Path, document: Mapping[str, Any]) -> None:
    """Write the page of a report, from its JSON document, whole or not at all."""
    from datetime import UTC, datetime

    from triggers.backtest.page.page import page
    from triggers.backtest.page.stated import stated_of_json

    write_html(path, page(stated_of_json(document, what="the report", at=datetime.now(UTC))))


def write_html(path: Path, page: str) -> None:
    """Write a page whole or not at all."""
    from triggers.backtest.tables import written_whole

    with written_whole(path) as partial:
        partial.write_text(page, encoding="utf-8")
