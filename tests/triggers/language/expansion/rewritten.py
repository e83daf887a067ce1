"""Trigger files written again with words of their own: lets with arguments, constants and sets for what stood there."""

from __future__ import annotations

import re
from random import Random

from tests.triggers.language.randomised.catalogs import RandomCatalog
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source
from triggers.language.text.expressions import nodes
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter

_DURATION = re.compile(r"\b(for|over|within|tolerating|cooldown) ([0-9.]+ (?:ns|us|ms|s|min|h|d))\b")
_SET = re.compile(r'\bin (\((?:"\w*"(?:, )?)+\))')


def with_own_words(source: str, catalog: RandomCatalog, random: Random) -> str:
    """A file that means the same: conditions as calls, some durations as params and some lists of texts as sets."""
    blocks: list[str] = []
    source = _with_functions(source, catalog, random, blocks)
    source = _named(source, _DURATION, "param", random, blocks)
    source = _named(source, _SET, "set", random, blocks)
    random.shuffle(blocks)
    return source + "\n".join(blocks)


def _named(source: str, pattern: re.Pattern[str], word: str, random: Random, blocks: list[str]) -> str:
    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        value = found[found.lastindex or 0]
        if random.random() < 0.4:
            return found[0]
        if value not in names:
            names[value] = f"{word}{len(names)}"
        return found[0].replace(value, names[value])

    changed = pattern.sub(name, source)
    blocks += [f"{word} {name} = {value}" for value, name in names.items()]
    return changed


def _with_functions(source: str, catalog: RandomCatalog, random: Random, blocks: list[str]) -> str:
    """Each condition as a call, whose arguments are some of its signals and lists; some within another call."""
    report = Reporter(Source(source, "random"))
    changed, known = source, {*catalog.signals, *(each.name for each in catalog.lists)}
    for trigger in reversed(parse(report.source, report).triggers):
        assert trigger.when is not None
        start, end = trigger.when.span.start, trigger.when.span.end
        condition = source[start:end]
        signals = sorted(known & set(_names(trigger.when)))
        chosen = random.sample(signals, random.randint(1, min(3, len(signals)))) if signals else ["1.25e77"]
        arguments = [f"a{index}" for index in range(len(chosen))]
        for signal, argument in zip(chosen, arguments, strict=True):
            condition = re.sub(rf"(?<![\w.]){re.escape(signal)}(?![\w.])", argument, condition)
        name = f"f_{trigger.name.text}"
        blocks.append(f"let {name}({', '.join(arguments)}) = {condition}")
        if random.random() < 0.5:
            blocks.append(f"let g_{name}({', '.join(arguments)}) = {name}({', '.join(arguments)})")
            name = f"g_{name}"
        changed = f"{changed[:start]}{name}({', '.join(chosen)}){changed[end:]}"
    return changed


def _names(whole: syntax.Expression) -> list[str]:
    own = [whole.name] if isinstance(whole, syntax.Name) else []
    own += [whole.of.text] if isinstance(whole, nodes.OfObjects) else []
    return [*own, *(name for part in whole.children() for name in _names(part))]
