"""The schema as one Markdown text for a language model: deterministic, compact, and from what the compiler reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from triggers.language.text.parser import LANGUAGE_VERSION
from triggers.language.words import LanguageWord, WordKind, language_words
from triggers.schema.catalog import catalog_lines, other_lines
from triggers.schema.diagnostics import known_diagnostics
from triggers.schema.material import SIGNALS, example_signals, examples, grammar, rules
from triggers.schema.units import units_by_dimension
from triggers.signals.catalog import SignalCatalog

CHARACTERS_PER_TOKEN = 3.3
"""Of this text, roughly: code and names take more tokens than prose."""
_TITLES = {
    WordKind.BLOCK: "Blocks",
    WordKind.TRIGGER_CLAUSE: "Clauses of a trigger",
    WordKind.CAPTURE_CLAUSE: "Lines of a capture",
    WordKind.CAMPAIGN_CLAUSE: "Clauses of a campaign",
    WordKind.OPERATOR: "Operators",
    WordKind.FUNCTION: "Functions",
}


def text_for_models(catalog: SignalCatalog | None, parts: Sequence[str] = ()) -> str:
    """The parts that are named, else all of them, under a head that says how large the text is."""
    chosen = [(title, write) for name, (title, write) in PARTS.items() if not parts or name in parts]
    body = "".join(f"\n## {title}\n\n{_joined(write(catalog))}" for title, write in chosen)
    return _head(len(body)) + body


def _head(characters: int) -> str:
    tokens = round(characters / CHARACTERS_PER_TOKEN, -2 if characters > 3000 else -1)
    return (
        f"# The trigger language of Longtail, version {LANGUAGE_VERSION}\n\n"
        f"This text has {characters:,} characters, about {tokens:,.0f} tokens. A trigger file is checked by "
        "`longtail check FILE --signals CATALOG`, run over recorded drives by `longtail backtest`; "
        "what is said here is what these commands do.\n"
    )


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"


def _rules(_catalog: SignalCatalog | None) -> Iterator[str]:
    yield rules()


def _grammar(_catalog: SignalCatalog | None) -> Iterator[str]:
    yield "In Lark's notation. It is the form of files; what has a meaning is said by the rules and the diagnostics.\n"
    yield f"```lark\n{grammar()}```"


def _words(_catalog: SignalCatalog | None) -> Iterator[str]:
    yield "P, Q, A and B are conditions, x, a and b numbers unless said otherwise. `, ...` stands for more."
    for kind, title in _TITLES.items():
        yield f"\n### {title}\n"
        yield from (_word(word) for word in language_words() if word.kind is kind)


def _word(word: LanguageWord) -> str:
    forms = " or ".join(f"`{form}`" for form in word.forms)
    named = "" if word.kind is WordKind.FUNCTION else f"`{word.text}`, as in "
    return f"- {named}{forms}: {word.summary}"


def _units(_catalog: SignalCatalog | None) -> Iterator[str]:
    for dimension, symbols in units_by_dimension().items():
        yield f"- {dimension}: {', '.join(f'`{symbol}`' for symbol in symbols)}"
    yield "\nProducts, quotients and powers of these are units, too, except of `degC` and `degF`."


def _diagnostics(_catalog: SignalCatalog | None) -> Iterator[str]:
    yield "Errors (LT1 to LT5) keep a file from being compiled, warnings (LT9) do not. Code: meaning; remedy.\n"
    for known in known_diagnostics():
        yield f"- {known.code}: {known.meaning}; {known.remedy}"


def _examples(_catalog: SignalCatalog | None) -> Iterator[str]:
    yield f"They compile without a finding against this catalog:\n\n```yaml\n{example_signals()}```"
    for example in examples():
        yield f"\n```trigger\n{example.text}```"


def _catalog(catalog: SignalCatalog | None) -> Iterator[str]:
    if catalog is None:
        yield "None was given: `longtail schema --signals CATALOG` has it here."
        return
    yield f"Of {len(catalog.signals):,} signals: type and unit, rate, range.\n"
    yield from (f"- {line}" for line in catalog_lines(catalog))
    yield ""
    yield from (f"- {line}" for line in other_lines(catalog))


Write = Callable[[SignalCatalog | None], Iterator[str]]
PARTS: Mapping[str, tuple[str, Write]] = {
    "rules": ("What programs mean", _rules),
    "words": ("Words", _words),
    "units": ("Units", _units),
    "grammar": ("Grammar", _grammar),
    "diagnostics": ("Diagnostics", _diagnostics),
    "examples": (f"Examples ({SIGNALS} and trigger files)", _examples),
    "catalog": ("The signal catalog", _catalog),
}
"""The parts by name, in the order of the text."""
