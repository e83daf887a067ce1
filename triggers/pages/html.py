"""A page that needs nothing but itself: no script, no request, light and dark, and text of others stays text.

Its policy allows its own style element alone, by its digest, so a page may have no `style` attributes. It holds from a
file and from a server alike; plots are SVG in the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from triggers.foreign_text import escaped, escaped_lines

STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #5c6570; --paper: #fff; --edge: #d8dde3; --line: #1f5fbf;
  --true: #1d7f4a; --false: #d8dde3; --unknown: #a86d00; --mark: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4af; --paper: #15181c; --edge: #343a42;
  --line: #7fb0ff; --true: #4cc38a; --false: #343a42; --unknown: #e0a93f; --mark: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.25rem } p { margin: .35rem 0 }
:not(svg) > svg { display: block; width: 100% }
.name { font: 13px/1.4 ui-monospace, monospace } .facts { color: var(--soft); font-size: 13px }
.line { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke }
.t { fill: var(--true) } .f { fill: var(--false) } .u { fill: var(--unknown) }
.at { stroke: var(--mark); stroke-width: 1; vector-effect: non-scaling-stroke }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: 13px }
.key span { margin-right: 1rem } .key i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
.key .t { background: var(--true) } .key .f { background: var(--false) } .key .u { background: var(--unknown) }
"""
"""What pages have in common: colours, plots, and a key of the three values of a condition."""
KEY = (
    '<p class="key facts"><span><i class="t"></i>true</span><span><i class="f"></i>false</span>'
    '<span><i class="u"></i>unknown</span></p>'
)


def text(value: str) -> str:
    """Text of a person's for HTML: markup, quotes and control characters are escaped.

    >>> text('<b> "a"\\x1b')
    '&lt;b&gt; &quot;a&quot;\\\\x1b'
    """
    return escape(escaped(value), quote=True)


def lines(value: str) -> str:
    """The same of a text with line breaks of its own, for a `pre`."""
    return escape(escaped_lines(value.expandtabs(4).replace("\r\n", "\n")), quote=True)


def policy(style: str) -> str:
    """The content security policy of a page with this style: nothing is loaded, nothing runs, no form is sent."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def page(title: str, body: Iterable[str], *, style: str = STYLE) -> str:
    """A page of parts that are HTML already; the title is text."""
    parts = "\n".join(body)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy(style)}">
<title>{text(title)}</title><link rel="icon" href="data:,"><style>{style}</style></head><body>
{parts}
</body></html>
"""
