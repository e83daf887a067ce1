"""Somebody who visits the console: signs in, opens pages, reads them, and notices what goes wrong in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Route, expect

from tests.support.waiting import wait_for

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PATIENCE_MS = 60_000
"""How long things may take to appear: a machine may be busy, and no clock decides a test."""
expect.set_options(timeout=PATIENCE_MS)
PASTE = """(element, text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const event = { clipboardData: data, bubbles: true, cancelable: true, composed: true };
    element.dispatchEvent(new ClipboardEvent("paste", event));
}"""
"""What pastes a text into an element, as people do: evaluate it there with the text."""

_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
"""What Chromium writes for each answer that the page itself handles."""

_DRAWN_BY_SOFTWARE = "GPU stall due to ReadPixels"
"""What Chromium writes where no graphics card draws a map, and a picture of the page is taken."""


class Visitor:
    """A browser with its own cookies, and one page in it; `token_of` gives the token of a user with a role."""

    def __init__(self, context: BrowserContext, url: str, token_of: Callable[[str], str]) -> None:
        self.context = context
        self.mistakes: list[str] = []
        self.hosts = [f"{url.rstrip('/')}/"]
        """Where pages may send requests: to the API, and in tests of it to a provider."""
        self._token_of = token_of
        self._expected: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._written)
        context.on("weberror", lambda error: self.mistakes.append(f"exception: {error.error}"))
        context.on("request", self._requested)
        self.page: Page = context.new_page()

    def sign_in(self, role: str = "viewer") -> None:
        """Have the session of a user with this role, as if signed in on the page."""
        answer = self.context.request.post(
            "/v1/login/token", data={"token": self._token_of(role)}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status == 200, answer.text()

    def open(self, path: str, role: str | None = "viewer") -> Page:
        """Open a page of the console by its path below /console, signed in as a user with `role` (None: as nobody)."""
        if role is not None:
            self.sign_in(role)
        self.page.goto(f"/console{path}")
        expect(self.page.locator("h1")).to_be_visible()
        return self.page

    def heading(self, name: str) -> Locator:
        """The heading of a page, which appears when the page is there."""
        return self.page.get_by_role("heading", name=name, level=1)

    def expect_errors(self, *parts: str) -> None:
        """Errors in the browser's console that contain these words are what this test is about."""
        self._expected += parts

    def wait_for_mistakes(self, count: int) -> None:
        """Until so many things have gone wrong in the browser; events come only while the page is asked something."""

        def came() -> bool:
            self.page.evaluate("1")
            return len(self.mistakes) >= count

        wait_for(came, within_s=20, what=f"{count} mistakes in the browser")

    def hold(self, pattern: str) -> list[Route]:
        """The requests that wait from now on, until the test lets each go on: `held.pop().continue_()`."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        self.page.route(pattern, hold)
        return held

    def wait_for_held(self, held: list[Route]) -> None:
        """Until one is held; requests come only while the page is asked something."""
        wait_for(lambda: bool(self.page.evaluate("1") and held), within_s=60, what="a request that is held")

    def wait_until_drawn(self) -> None:
        """Until what the page knows by now is on the screen: what must not be there can be looked for afterwards."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def require_accessible(self, *, schemes: tuple[str, ...] = ("light", "dark")) -> None:
        """The page as it is keeps WCAG 2.2 AA, as far as axe can tell, in light and dark."""
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = axe().run(self.page, options={"runOnly": {"type": "tag", "values": list(STANDARDS)}})
            violations = [_shown(violation) for violation in found.response["violations"]]
            assert violations == [], f"{scheme}: {violations}"

    def require_no_sideways_scrolling(self) -> None:
        """Nothing but what scrolls within itself is wider than the window."""
        sizes = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert sizes[0] <= sizes[1], f"{sizes[0]} px of content in {sizes[1]} px"

    def _written(self, message: ConsoleMessage) -> None:
        text = message.text
        if message.type not in ("error", "warning") or any(part in text for part in self._expected):
            return
        if _DRAWN_BY_SOFTWARE in text:
            return
        if _REFUSED.match(text) and "/v1/" in message.location["url"]:
            return
        self.mistakes.append(f"{message.type}: {text} ({message.location['url']})")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((*self.hosts, "data:", "blob:")):
            self.mistakes.append(f"a request to another host: {request.url}")


@contextmanager
def visiting(browser: Browser, url: str, token_of: Callable[[str], str]) -> Iterator[Visitor]:
    """Somebody with a browser of their own at the API's address; whatever goes wrong in it is an AssertionError.

    That is: a violation of the content policy, an error or a warning in the browser's console, an exception in the
    page, a request to another host.
    """
    with browser.new_context(
        base_url=url,
        viewport=WIDE,  # type: ignore[arg-type]
        reduced_motion="reduce",
        ignore_https_errors=True,
        locale="en-GB",
    ) as context:
        visitor = Visitor(context, url, token_of)
        yield visitor
        assert visitor.mistakes == []


@cache
def axe() -> Any:
    """axe-core out of a wheel; evaluated by the browser's debugger, which the page's content policy does not bind."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def _shown(violation: dict[str, Any]) -> str:
    nodes = "; ".join(node["html"][:160] + " " + node["failureSummary"] for node in violation["nodes"][:3])
    return f"{violation['id']}: {violation['help']}: {nodes}"
