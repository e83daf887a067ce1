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

Constant = syntax.Quantity | syntax.Text | syntax.Truth
Params = dict[str, syntax.Param]
"""The params of a file by name."""
_MAX_LINE = 80


def with_values(whole: WholeText, values: Sequence[str]) -> tuple[WholeText, tuple[Diagnostic, ...]]:
    """A text with the params set to values such as `hold=500 ms`, or the diagnostics of values that do not fit.

    >>> whole, _ = with_values(WholeText("param hold = 300 ms\\n", "a.trigger"), ["hold=0.5s"])
    >>> print(whole.text, end="")
    param hold = 0.5 s
    # Set: hold = 0.5 s (the file says 300 ms)
    """
    source = whole.source()
    params = params_of(parse(source, Reporter(source)))
    chosen: dict[str, tuple[syntax.Param, Constant]] = {}
    diagnostics: list[Diagnostic] = []
    for value in values:
        report = Reporter(Source(value, OPTION))
        name, constant = _read(value, source, params, report)
        same = next((other for other, (param, _) in chosen.items() if param is params.get(name)), None)
        if same is not None:
            report.set_twice(Span(0, len(name)), name, same)
        if constant is not None:
            chosen[name] = params[name], constant
        diagnostics += report.diagnostics
    if diagnostics:
        return whole, tuple(diagnostics)
    remarks = []
    for name, (param, constant) in sorted(chosen.items(), key=lambda item: -item[1][0].value.span.start):
        span, text = param.value.span, shown(constant)
        remarks.append(f"Set: {name} = {text} (the file says {whole.text[span.start : span.end]})")
        whole = whole.replaced(span.start, span.end, text)
    return whole.with_remarks(reversed(remarks)), ()


def params_of(file: syntax.File) -> Params:
    """The params of a file by name, with those of the files that it imports as `c.hold`."""
    params: Params = {}
    for param in file.params:
        params.setdefault(param.name.text, param)
    files = {each.path.text: each.file for each in reversed(file.files)}
    for imported in file.imports:
        other = files.get(imported.path.text)
        for param in other.params if other else ():
            params.setdefault(f"{imported.alias.text}.{param.name.text}", param)
    return params


def _read(value: str, source: Source, params: Params, report: Reporter) -> tuple[str, Constant | None]:
    """The name of a param and the constant that it is set to; None after reporting why it is not."""
    name, start = named_param(value, params, report)
    if report.has_errors:
        return name, None
    return name, read_constant(value, Span(start, len(value)), source, params[name], report)


def named_param(value: str, params: Params, report: Reporter) -> tuple[str, int]:
    """The name before the `=`, and where what comes after it begins; what is wrong with the name is reported."""
    written, equals, _ = value.partition("=")
    name = written.strip()
    if not equals:
        report.no_value(Span(0, len(value)), value)
    elif name not in params:
        nearest = get_close_matches(name[:200], params, n=3)
        report.unknown_param(Span(0, len(written)), name, nearest, list(params))
    return name, len(written) + 1


def read_constant(value: str, span: Span, source: Source, param: syntax.Param, report: Reporter) -> Constant | None:
    """The constant at a place of `value` (`NAME=...`); None after reporting why the param cannot have it."""
    declared, text = param.value, value[span.start : span.end]
    if isinstance(declared, syntax.Text) and not text.strip().startswith('"'):
        text = f'"{text.strip()}"'  # a shell has taken the quotes away
    inner = Reporter(Source(text, report.source.filename))
    tokens = tokenize(inner.source, inner)
    constant = None if inner.has_errors else parse_constant(tokens, inner)
    if constant is None or not _fits(constant, declared):
        name = value.partition("=")[0].strip()  # as it was written: `c.hold` for the param of an import
        kind, place = _kind(declared), declared_at(source, param)
        report.bad_value(span, name, text.strip(), kind=kind, example=shown(declared), declared=place)
        return None
    return constant


def declared_at(source: Source, param: syntax.Param) -> str:
    """Where a param is declared, and that line."""
    line, _ = source.position(param.name.span.start)
    file, before = source.file_at(param.name.span.start)
    return f"{file}:{line - before} says `{source.line(line).strip()[:_MAX_LINE]}`"


def _fits(constant: Constant, declared: Constant) -> bool:
    """Whether a constant is of the kind of another one, and of its dimension."""
    if isinstance(constant, syntax.Quantity) and isinstance(declared, syntax.Quantity):
        unit, wanted = unit_of(constant), unit_of(declared)
        if unit is None or wanted is None:
            return wanted is None  # a param of an unknown unit is a mistake of the file
        return unit.dimension == wanted.dimension and (constant.unit is None) == (declared.unit is None)
    return type(constant) is type(declared)


def unit_of(quantity: syntax.Quantity) -> Unit | None:
    """The unit of a number; None for one that does not exist."""
    return BARE if quantity.unit is None else parse_unit(quantity.unit)


def _kind(constant: Constant) -> str:
    if isinstance(constant, syntax.Text):
        return "a text"
    if isinstance(constant, syntax.Truth):
        return "`true` or `false`"
    return f"a number with a unit like `{constant.unit}`" if constant.unit else "a number without a unit"


def shown(constant: Constant) -> str:
    """A constant as it is written."""
    if isinstance(constant, syntax.Text):
        return f'"{constant.value}"'
    if isinstance(constant, syntax.Truth):
        return "true" if constant.value else "false"
    return f"{constant.text} {constant.unit or ''}".strip()
