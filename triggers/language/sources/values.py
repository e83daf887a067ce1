"""Values that are set from outside: `--set hold=500ms` puts 500 ms in the place of what the file says of `hold`.

The value is written into the text, so that what is compiled, stored and approved is one thing; a comment at its end
says which values were set, and what the file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from triggers.language.sources.whole_text import WholeText
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.lexer import tokenize
from triggers.language.text.parser import parse, parse_constant
from triggers.language.text.reporter import Reporter
from triggers.signals.units import BARE, Unit, parse_unit

OPTION = "--set"
"""What diagnostics call the place of a value that was given with this option."""

_Constant = syntax.Quantity | syntax.Text | syntax.Truth


def with_values(whole: WholeText, values: Sequence[str]) -> tuple[WholeText, tuple[Diagnostic, ...]]:
    """A text with the params set to values such as `hold=500 ms`, or the diagnostics of values that do not fit.

    >>> whole, _ = with_values(WholeText("param hold = 300 ms\\n", "a.trigger"), ["hold=0.5s"])
    >>> print(whole.text, end="")
    param hold = 0.5 s
    # Set: hold = 0.5 s (the file says 300 ms)
    """
    source = whole.source()
    params = _params(parse(source, Reporter(source)))
    chosen: dict[str, tuple[syntax.Param, _Constant]] = {}
    diagnostics: list[Diagnostic] = []
    for value in values:
        report = Reporter(Source(value, OPTION))
        name, constant = _read(value, params, report)
        if name in chosen:
            report.set_twice(Span(0, len(name)), name)
        if constant is not None:
            chosen[name] = params[name], constant
        diagnostics += report.diagnostics
    if diagnostics:
        return whole, tuple(diagnostics)
    remarks = []
    for name, (param, constant) in sorted(chosen.items(), key=lambda item: -item[1][0].value.span.start):
        span, shown = param.value.span, _shown(constant)
        remarks.append(f"Set: {name} = {shown} (the file says {whole.text[span.start : span.end]})")
        whole = whole.replaced(span.start, span.end, shown)
    return whole.with_remarks(reversed(remarks)), ()


def _params(file: syntax.File) -> dict[str, syntax.Param]:
    """The params of a file by name, with those of the files that it imports as `c.hold`."""
    params: dict[str, syntax.Param] = {}
    for param in file.params:
        params.setdefault(param.name.text, param)
    files = {each.path.text: each.file for each in reversed(file.files)}
    for imported in file.imports:
        other = files.get(imported.path.text)
        for param in other.params if other else ():
            params.setdefault(f"{imported.alias.text}.{param.name.text}", param)
    return params


def _read(value: str, params: dict[str, syntax.Param], report: Reporter) -> tuple[str, _Constant | None]:
    """The name of a param and the constant that it is set to; None after reporting why it is not."""
    written, equals, text = value.partition("=")
    name, start = written.strip(), len(written) + 1
    place = Span(0, len(written))
    if not equals:
        report.no_value(Span(0, len(value)), value)
        return name, None
    if name not in params:
        report.unknown_param(place, name, get_close_matches(name[:200], params, n=3), list(params))
        return name, None
    declared = params[name].value
    span = Span(start, len(value))
    if isinstance(declared, syntax.Text) and not text.strip().startswith('"'):
        text = f'"{text.strip()}"'  # a shell has taken the quotes away
    inner = Reporter(Source(text, OPTION))
    tokens = tokenize(inner.source, inner)
    constant = None if inner.has_errors else parse_constant(tokens, inner)
    if constant is None or not _fits(constant, declared):
        report.bad_value(span, name, text.strip(), _kind(declared), _shown(declared))
        return name, None
    return name, constant


def _fits(constant: _Constant, declared: _Constant) -> bool:
    """Whether a constant is of the kind of another one, and of its dimension."""
    if isinstance(constant, syntax.Quantity) and isinstance(declared, syntax.Quantity):
        unit, wanted = _unit(constant), _unit(declared)
        if unit is None or wanted is None:
            return wanted is None  # a param of an unknown unit is a mistake of the file
        return unit.dimension == wanted.dimension and (constant.unit is None) == (declared.unit is None)
    return type(constant) is type(declared)


def _unit(quantity: syntax.Quantity) -> Unit | None:
    return BARE if quantity.unit is None else parse_unit(quantity.unit)


def _kind(constant: _Constant) -> str:
    if isinstance(constant, syntax.Text):
        return "a text"
    if isinstance(constant, syntax.Truth):
        return "`true` or `false`"
    return f"a number with a unit like `{constant.unit}`" if constant.unit else "a number without a unit"


def _shown(constant: _Constant) -> str:
    """A constant as it is written."""
    if isinstance(constant, syntax.Text):
        return f'"{constant.value}"'
    if isinstance(constant, syntax.Truth):
        return "true" if constant.value else "false"
    return f"{constant.text} {constant.unit or ''}".strip()
