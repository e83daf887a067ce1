"""What the benchmark of the console fills in: a long text without mistakes, as the first one in it is timed."""

from __future__ import annotations

from bench.console.filled import SIGNALS, trigger_text
from bench.console.run import LINES
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog


def test_the_text_of_the_editor_has_its_lines_and_no_mistake() -> None:
    text = trigger_text(LINES)
    assert LINES - 5 <= len(text.splitlines()) <= LINES
    compilation = compile_source(text, filename="long", catalog=SignalCatalog.parse(SIGNALS, name="signals"))
    assert compilation.ok, [diagnostic.render() for diagnostic in compilation.diagnostics[:3]]
