"""What to write where a list of objects is asked in another way than this language has, with the list's own fields."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.language.text import syntax
from triggers.language.text.expressions.lookahead import MEAN, MEANT, NONE
from triggers.signals.catalog import SignalCatalog


def in_list(catalog: SignalCatalog, name: str) -> tuple[str, str] | None:
    """The list that a name is or begins with, and the rest of the name; None if it is about no list."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        of = ".".join(parts[:count])
        if of in catalog.objects:
            return of, ".".join(parts[count:])
    return None


def example(catalog: SignalCatalog, of: str, word: str, field: str = "") -> str:
    """What to write for a word of this or another language over a list; of its fields with this one, if it has it.

    >>> fields = "{id: {type: id}, kind: {type: text, values: [car]}, x: {unit: m}}"
    >>> text = f"objects: {{tracked: {{max: 4, rate: 10, key: id, fields: {fields}}}}}"
    >>> catalog = SignalCatalog.parse(f"{text}\\nsignals: {{v: {{rate: 10}}}}", name="signals.yaml")
    >>> for word in ("exists", "length", "mean", "closest"):
    ...     print(example(catalog, "tracked", word))
    any(o in tracked where o.kind ...)
    count(o in tracked)
    sum(o.x for o in tracked) / count(o in tracked)
    nearest(o in tracked by o.x).kind
    """
    word, declared = word.lower(), catalog.objects[of]
    fields = [field, *declared.value_fields, declared.key] if field in declared.fields else []
    fields = fields or [*declared.value_fields, declared.key]
    form, number = MEANT.get(word, "any"), next((name for name in fields if declared.fields[name].type == "number"), "")
    if number and word in MEAN:
        return f"sum(o.{number} for o in {of}) / count(o in {of})"
    if number and form in ("min", "max", "sum"):
        return f"{form}(o.{number} for o in {of})"
    if number and form == "nearest":
        return f"nearest(o in {of} by o.{number}).{next(name for name in fields if name != number)}"
    if form == "count" and not field:
        return f"count(o in {of})"
    asked = f"{form if form in ('all', 'count') else 'any'}(o in {of} where o.{fields[0]} ...)"
    return f"not {asked}" if word in NONE else asked


def meant_of_list(catalog: SignalCatalog, call: syntax.Call) -> str:
    """What to write instead of a call that is given a list, or is one of a list's own: `tracked.any(...)`; or none."""
    names = [call.function.text, *(name for argument in call.arguments for name in _names(argument))]
    of, field = next((found for name in names if (found := in_list(catalog, name)) is not None), ("", ""))
    if not of and call.function.text in ("any", "all", "nearest"):
        of = next(iter(catalog.objects), "")
    return example(catalog, of, call.function.text.rpartition(".")[2], field) if of else ""


def _names(expression: syntax.Expression) -> Iterator[str]:
    """The names in an expression, in the order of the text; nesting is bounded, as the parser bounds it."""
    if isinstance(expression, syntax.Name):
        yield expression.name
    for child in expression.children():
        yield from _names(child)
