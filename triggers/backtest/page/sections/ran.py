"""What ran, on the page of a report: the text, the programs, the signal catalog, and settings of campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from triggers.contracts.api.backtests.stated import StatedReport, WhatRan
from triggers.contracts.base import text_digest
from triggers.pages import parts
from triggers.pages.html import lines, text

MAX_SHOWN_TEXT = 100_000
"""Characters of the trigger file that are shown."""


def when(run: WhatRan) -> str:
    """When it ran and by which release of Longtail, as far as that is known."""
    at = "" if run.at is None else f"{run.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return ", ".join(filter(None, (at, run.longtail and f"Longtail {run.longtail}")))


def what(stated: StatedReport) -> Iterator[str]:
    """The trigger file with its digest, the digests of programs, and the signal catalog's."""
    run = stated.run
    digests = [(each.settings.name, each.digest) for each in run.campaigns]
    named = {digest for _, digest in digests}
    digests += [("triggers that no campaign collects", each) for each in stated.report.programs if each not in named]
    digests += [(f"trigger file {run.file}", text_digest(run.source))]
    digests += [(f"signal catalog {run.catalog}", run.catalog_digest)]
    yield parts.table("Programs and texts", ("what", "SHA-256"), digests)
    yield f"<p>{text(f'{when(run)}, {stated.report.rows:,} rows'.removeprefix(', '))}</p>"
    yield f'<h3>Trigger file</h3><pre tabindex="0">{lines(run.source[:MAX_SHOWN_TEXT])}</pre>'
    yield parts.left_out(len(run.source) - MAX_SHOWN_TEXT, "character")
