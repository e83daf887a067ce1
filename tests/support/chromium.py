"""A real Chromium for tests of the console, headless: Debian's package, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes half a second to import, which runs without such tests are spared
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ("--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking", "--no-first-run")


class ChromiumMissing(Exception):
    """This machine has no Chromium, or the console cannot be built; the message says what to do."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser without pages; ChromiumMissing where there is none.

    While it runs, this thread has an event loop, so nothing else in it can begin one: keep it to one package of tests.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def chromium() -> str:
    """The path of this machine's Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ChromiumMissing("there is no Chromium on this machine: apt-get install chromium")
    return found
