"""`python -m bench.console.run`: how soon each page of the console can be used, and searches are shown, as Markdown.

One million clips and 221 campaigns in an embedded server (`--url`: in a database that is kept, filled if it is empty),
one API process, and Debian's Chromium on the same machine. Each page is opened in a new browser context, so without
anything from its cache, and then once more in the same. `--quick` shows within a minute that everything works.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.console.filled import fill_campaigns, fill_clips, trigger_text
from bench.console.timed import Shown, found_ms, there, told_ms, usable_ms
from bench.machine import load
from fleet_api.client import Client
from fleet_api.deployment.keys import ensure_signing_key
from storage import tokens
from storage.database import Database
from storage.embedded import EmbeddedPostgres, scratch_dir
from storage.migrate import migrate
from storage.objects import open_store
from storage.settings import Settings
from tests.fleet_api.console.visitor import visiting
from tests.support.chromium import running_chromium
from tests.support.waiting import wait_for
from tools import console

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LINES = 2_000
CARDS = "main a[href*='/clips/']"
SEARCHES = (
    "trigger = 't17'",
    "vehicle.model = 'rare'",
    "tag = 'rain' AND vehicle.region = 'JP'",
    "ego.speed.max > 44.9 m/s",
    "start < now - 400 d",
)
"""None of them finds the newest clip."""


def main(argv: Sequence[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.console.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--campaigns", type=int, default=221)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--url", help="a database that is kept; filled if it is empty")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: does everything work?")
    options = parser.parse_args(argv)
    if options.quick:
        options.clips, options.campaigns, options.rounds = 2_000, 5, 1
    console.build()
    print(f"load {load()}")
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        url = options.url or stack.enter_context(EmbeddedPostgres(folder / "postgres")).url
        database = Database(url, pool_size=2)
        migrate(database)
        fill_clips(database, options.clips)
        api_url, token = stack.enter_context(serving(database, url, folder))
        with Client(api_url, token) as admin:
            campaign = fill_campaigns(database, admin, options.campaigns)
            clip = next(iter(admin.clips.search(None))).id
        browser = stack.enter_context(running_chromium())
        pages = shown_pages(campaign, clip, rows=min(options.campaigns, 100))
        show_pages(browser, api_url, token, pages, options.rounds)
        show_searches(browser, api_url, token, pages, options.rounds)
        show_mistakes(browser, api_url, token, pages, options.rounds)
    print(f"load {load()}")
    return 0


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the server and the API's files, removed at the end: a million clips are gigabytes."""
    folder = scratch_dir("longtail-bench-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def serving(database: Database, url: str, folder: Path) -> Iterator[tuple[str, str]]:
    """An API process on this database, with its files in the folder: its address, and an administrator's token."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(database_url=url, data_dir=folder / "data", api_url=address, allow_self_approval=True)
        ensure_signing_key(settings)
        open_store(settings)  # without the recordings: no page that is timed plays one
        command = [sys.executable, "-m", "fleet_api.cli", "api", f"--listen-fd={listener.fileno()}"]
        environment = os.environ | settings.environment()
        with (folder / "api.log").open("w") as log:
            process = subprocess.Popen(command, pass_fds=[listener.fileno()], env=environment, stderr=log, stdout=log)
        try:
            wait_for(lambda: is_ready(address), within_s=120, what=f"the start of the API ({folder / 'api.log'})")
            with database.begin() as connection:
                token = tokens.issue(connection, "bench", ["admin"])
            yield address, token
        finally:
            process.terminate()
            process.wait()


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=60).is_success
    except httpx.TransportError:
        return False


def shown_pages(campaign: str, clip: str, *, rows: int) -> list[Shown]:
    """Every page, with what it is about."""
    tabs = ("volume", "budgets", "cost", "fires")
    return [
        Shown("campaigns", "/campaigns", there("main tbody tr", at_least=rows)),
        Shown("a campaign", f"/campaigns/{campaign}", there("main h1", text="of the fleet")),
        Shown("the editor", "/campaigns/new-campaign", there("[aria-label='Findings'] li, [aria-label='Findings'] h2")),
        Shown("clips: cards", "/clips", there(CARDS, at_least=48)),
        Shown("clips: counts and facets", "/clips", there("aside details button")),
        Shown("clips: the map", "/clips", there(".maplibregl-canvas", text="have a position")),
        Shown("a clip", f"/clips/{clip}", there("main h2", at_least=3)),
        *(Shown(f"budget: {tab}", f"/budget?tab={tab}", there("main tbody tr, main h2")) for tab in tabs),
        Shown("labels", "/labels", there("main h2")),
    ]


def show_pages(browser: Browser, url: str, token: str, pages: Sequence[Shown], rounds: int) -> None:
    """Every page in turns, new and again; one round before that is not timed."""
    new: dict[str, list[float]] = {shown.name: [] for shown in pages}
    again: dict[str, list[float]] = {shown.name: [] for shown in pages}
    for number in range(rounds + 1):
        for shown in pages:
            with visiting(browser, url, lambda _: token) as visitor:
                visitor.sign_in()
                took = usable_ms(visitor.page, shown), usable_ms(visitor.page, shown)
                visitor.mistakes.clear()  # whoever leaves a page breaks off what it was loading
            if number:
                new[shown.name].append(took[0])
                again[shown.name].append(took[1])
    print("\n| page, ms until it can be used: median (slowest) | first visit | again |\n|---|---|---|")
    for shown in pages:
        print(f"| {shown.name} | {told(new[shown.name])} | {told(again[shown.name])} |")


def show_searches(browser: Browser, url: str, token: str, pages: Sequence[Shown], rounds: int) -> None:
    """Every search in turns, on the page of clips without a filter."""
    (clips,) = (shown for shown in pages if shown.name == "clips: cards")
    took: dict[str, list[float]] = {text: [] for text in SEARCHES}
    for number in range(rounds + 1):
        for text in SEARCHES:
            with visiting(browser, url, lambda _: token) as visitor:
                visitor.sign_in()
                usable_ms(visitor.page, clips)
                found = found_ms(visitor.page, text)
                visitor.mistakes.clear()
            if number:
                took[text].append(found)
    print("\n| search, ms from the last key to its clips | median (slowest) |\n|---|---|")
    for text in SEARCHES:
        print(f"| `{text}` | {told(took[text])} |")


def show_mistakes(browser: Browser, url: str, token: str, pages: Sequence[Shown], rounds: int) -> None:
    """A mistake in a text of LINES lines, each in a new editor."""
    (editor,) = (shown for shown in pages if shown.name == "the editor")
    took = []
    for number in range(rounds + 1):
        with visiting(browser, url, lambda _: token) as visitor:
            visitor.sign_in()
            usable_ms(visitor.page, editor)
            told_after = told_ms(visitor.page, trigger_text(LINES))
            visitor.mistakes.clear()
        if number:
            took.append(told_after)
    print(f"\na mistake in {LINES:,} lines is told {told(took)} ms after its key")


def told(times: Sequence[float]) -> str:
    """Median and slowest."""
    return f"{statistics.median(times):.0f} ({max(times):.0f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
