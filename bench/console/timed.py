"""How long a page takes, told by the page itself: its clock begins with the navigation, and no driver is in between."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tests.fleet_api.console.visitor import PASTE

if TYPE_CHECKING:
    from playwright.sync_api import Page

WITHIN_MS = 120_000
# What a page is about is there, it was drawn, and the main thread then took the next task.
_USABLE = """(() => {
    const isThere = () => %s;
    window.longtailUsable = new Promise((resolve) => {
        const look = () => {
            if (document.body === null || !isThere()) return;
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    });
})()"""
# From the last key until the first clip is another one.
_FOUND = """() => {
    const first = () => document.querySelector("main a[href*='/clips/']")?.getAttribute("href");
    let typed = null;
    let before = first();
    document.addEventListener("input", () => { typed = performance.now(); before = first(); }, true);
    window.longtailFound = new Promise((resolve) => {
        new MutationObserver((_, observer) => {
            if (typed === null || first() === undefined || first() === before) return;
            observer.disconnect();
            resolve(performance.now() - typed);
        }).observe(document, { subtree: true, childList: true, attributes: true });
    });
}"""

# From a key until a mistake is told; the text itself is in a shadow tree, of which nothing is seen here.
_TOLD = """() => {
    let typed = null;
    document.addEventListener("keydown", () => { typed = performance.now(); }, true);
    window.longtailTold = new Promise((resolve) => {
        new MutationObserver((_, observer) => {
            if (typed === null || document.querySelector("[aria-label='Findings'] li") === null) return;
            observer.disconnect();
            resolve(performance.now() - typed);
        }).observe(document, { subtree: true, childList: true, attributes: true });
    });
}"""


@dataclass(frozen=True)
class Shown:
    """A page by its path below /console, and the JavaScript expression that is true once what it is about is there."""

    name: str
    path: str
    is_there: str


def usable_ms(page: Page, shown: Shown) -> float:
    """From the beginning of the navigation until the page is drawn with what it is about, and takes input."""
    page.add_init_script(_USABLE % shown.is_there)
    page.goto(f"/console{shown.path}", wait_until="commit")
    return _awaited(page, "longtailUsable", shown.name)


def found_ms(page: Page, text: str) -> float:
    """From the last key of a filter until its first clip is shown; the page of clips is open, without a filter."""
    page.evaluate(_FOUND)
    page.get_by_label("Filter").focus()
    page.keyboard.type(text, delay=15)
    return _awaited(page, "longtailFound", text)


def told_ms(page: Page, text: str) -> float:
    """From the key that makes a mistake at the end of a trigger text until it is told; the editor is open."""
    field = page.get_by_role("textbox", name="Trigger file")
    field.press("ControlOrMeta+a")
    field.evaluate(PASTE, text)
    findings = page.get_by_role("region", name="Findings")
    findings.get_by_role("heading").filter(has_text="No mistakes").wait_for(timeout=WITHIN_MS)
    field.press("ControlOrMeta+End")
    page.evaluate(_TOLD)
    page.keyboard.type("x")
    return _awaited(page, "longtailTold", "a mistake")


def _awaited(page: Page, promise: str, what: str) -> float:
    """What a promise of the page gives; an error that names `what` when it takes longer than anybody would wait."""
    error = f"new Error({json.dumps(f'not there: {what}')})"
    late = f"new Promise((_, reject) => setTimeout(() => reject({error}), {WITHIN_MS}))"
    return cast(float, page.evaluate(f"Promise.race([window.{promise}, {late}])"))


def there(selector: str, *, at_least: int = 1, text: str = "") -> str:
    """The expression that so many elements match a selector, and that the page has this text."""
    matched = f"document.querySelectorAll({json.dumps(selector)}).length >= {at_least}"
    return f"{matched} && document.body.textContent.includes({json.dumps(text)})" if text else matched
