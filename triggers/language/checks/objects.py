"""Checks of what is asked of the objects of a list: `any(o in tracked where P)` and its kin, and the fields in it.

A field is a node that differs from object to object, and so is what depends on it. What is told of all objects is a
node like any other, but no condition on an object may read it (decision 0057).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from triggers.language.analysis.bounds import Bounds
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import are_numbers
from triggers.language.checks.context import CheckContext
from triggers.language.checks.forms_of_lists import example, in_list
from triggers.language.ir import Kind
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.language.text.expressions import nodes
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS, MEANT, form_meant
from triggers.signals.objects import ObjectList
from triggers.signals.units import BARE, parse_unit

_OF_CONDITIONS = {"sum": "count", "max": "any", "min": "all"}
"""What tells of conditions what these tell of numbers."""
Check = Callable[[CheckContext, syntax.Expression], Typed]

_OF_SILENCE = {
    "missing": "missing({})",
    "age": "missing({}) for 500 ms",
    "samples": "samples({} over 1 s)",
}
"""Operators on the samples of a signal, and how they are asked of a list."""
_LONGEST_CALL = 12
_OPERATIONS = {
    "any": "any_object",
    "all": "all_objects",
    "count": "count_objects",
    "min": "min_of_objects",
    "max": "max_of_objects",
    "sum": "sum_of_objects",
}


def field(context: CheckContext, expression: nodes.Field) -> Typed:
    """`o.x` within the form in which `o` is an object."""
    declared = context.catalog.objects.get(expression.of)
    if declared is None:  # the form has reported it
        return context.error(expression.span)
    if context.open_form not in (None, expression.scope):
        context.report.nested_objects(expression.span)
        return context.error(expression.span)
    if not expression.field:
        context.report.object_as_value(expression.span, expression.name, declared.value_fields or (declared.key,))
        return context.error(expression.span)
    return _field(context, expression.span, expression.of, expression.field)


def _field(context: CheckContext, span: Span, of: str, name: str) -> Typed:
    declared = context.catalog.objects[of]
    found = declared.fields.get(name)
    if found is None:
        _report_unknown_field(context, span, of, name)
        return context.error(span)
    kind = Kind.BOOL if found.type == "bool" else Kind.NUMBER
    place = context.field_names(of).index(name)
    node = context.graph.add("object_field", input=context.input_of(of), field=place, kind=kind)
    if found.type == "id":
        return Typed(span, Type.NUMBER, node, BARE, is_whole=True)
    typed = Typed(span, Type(found.type), node, parse_unit(found.unit) or BARE, values=found.values)
    return context.ranged(typed, found.raw_form)


class _Asked(NamedTuple):
    """What is asked of each object: whether it counts, its number, and the field of the nearest one."""

    where: Typed | None
    number: Typed | None
    chosen: Typed | None


def of_objects(context: CheckContext, form: nodes.OfObjects, check: Check) -> Typed:
    """What is told of the objects of a list; `check` checks what is asked of each."""
    declared = _declared(context, form)
    if declared is None or not _has_its_form(context, form):
        return context.error(form.span)
    if context.open_form is not None:
        context.report.nested_objects(form.span)
        return context.error(form.span)
    asked = _asked(context, form, check)
    if not _are_sound(context, form, asked):
        return context.error(form.span)
    return _told(context, form, declared, asked)


def _asked(context: CheckContext, form: nodes.OfObjects, check: Check) -> _Asked:
    context.open_form = form.scope
    parts, context.parts = context.parts, None  # what differs from object to object has no value to be shown
    number = form.value or form.by
    asked = _Asked(
        None if form.where is None else check(context, form.where),
        None if number is None else check(context, number),
        None if form.field is None else _field(context, form.field.span, form.of.text, form.field.text),
    )
    context.open_form, context.parts = None, parts
    return asked


def _declared(context: CheckContext, form: nodes.OfObjects) -> ObjectList | None:
    """The list that a form is about; None after reporting that there is none."""
    name = form.of.text
    declared = context.catalog.objects.get(name)
    if declared is None:
        let = context.lets.get(name)
        if let is None and name in context.broken_lets:
            return None
        what = "a signal" if name in context.catalog.signals else ""
        if let is not None:
            what = "a `let`" if let.use is None else "an expression"
        known = list(context.catalog.objects)
        context.report.unknown_list(form.of.span, name, what, context.nearest(name, known, "lists"), known)
    elif declared.rate is declared.max_age is None:
        context.report.list_without_rate(form.of.span, name)
    return declared


def _has_its_form(context: CheckContext, form: nodes.OfObjects) -> bool:
    """Whether a form has what its function takes; reported if not."""
    name, of = form.function.text, form.of.text
    given = [part for part in ("value", "by", "field") if getattr(form, part) is not None]
    takes = {"min": ["value"], "max": ["value"], "sum": ["value"], "nearest": ["by", "field"]}.get(name, [])
    if name not in FORMS_OF_OBJECTS:
        meant = [name] if form_meant(name) else ["any", "count", "min"]
        context.report.unknown_form(form.function.span, name, [example(context.catalog, of, word) for word in meant])
        return False
    if name == "nearest" and given == ["by"]:
        context.report.nearest_as_value(form.span, context.catalog.objects[of].value_fields)
        return False
    if given != takes:
        context.report.wrong_arguments(form.span, name, example(context.catalog, of, name))
    return given == takes


def _are_sound(context: CheckContext, form: nodes.OfObjects, asked: _Asked) -> bool:
    """Whether what is asked of each object can be: reported where it is of another type, or reads other objects."""
    fine = (asked.chosen is None or asked.chosen.type is not Type.ERROR) and _is_a_number(context, form, asked.number)
    where = asked.where
    if where is not None and where.type in (Type.NUMBER, Type.TEXT):
        proposal = "compare it with a value, for example with `<` or `==`"
        context.report.not_a_condition(where.span, context.what(where), proposal)
    if not fine or (where is not None and where.type is not Type.BOOL):
        return False
    for each in (asked.where, asked.number):
        if each is None:
            continue
        if each.node >= 0 and context.graph.told[each.node]:
            context.report.told_of_others(each.span, context.subject(each.span))
            fine = False
        elif each.node < 0 or not context.graph.fields[each.node]:
            names = context.field_names(form.of.text)
            shown = f"{form.binder.text}.{(names[1:] or names)[0]}"
            context.report.reads_no_object(each.span, context.subject(each.span), form.binder.text, shown)
    return fine


def _is_a_number(context: CheckContext, form: nodes.OfObjects, number: Typed | None) -> bool:
    """Whether what a form takes a number of is one; reported if not."""
    if number is not None and number.type is Type.BOOL and form.function.text in _OF_CONDITIONS:
        asked = f"{_OF_CONDITIONS[form.function.text]}({form.binder.text} in {form.of.text} where P)"
        context.report.not_a_number(number.span, context.what(number), f"for a condition P, write `{asked}`")
        return False
    return number is None or are_numbers(context, number)


def _told(context: CheckContext, form: nodes.OfObjects, declared: ObjectList, asked: _Asked) -> Typed:
    graph, name, of = context.graph, form.function.text, context.input_of(form.of.text)
    admitted = graph.add("truth", value=True) if asked.where is None else context.node(asked.where)
    number, chosen = asked.number, asked.chosen
    if number is None:
        node = graph.add(_OPERATIONS[name], admitted, input=of)
        if name != "count":
            return Typed(form.span, Type.BOOL, node)
        return Typed(form.span, Type.NUMBER, node, BARE, low=Fraction(0), high=Fraction(declared.max), is_whole=True)
    if name == "sum" and number.unit.is_affine:
        context.report.affine_arithmetic(form.span, number.unit.symbol)
        return context.error(form.span)
    if chosen is not None:
        kind = graph.nodes[chosen.node].kind
        node = graph.add("nearest_object", context.node(number), admitted, chosen.node, input=of, kind=kind)
        return replace(chosen, span=form.span, node=node)
    node = graph.add(_OPERATIONS[name], context.node(number), admitted, input=of)
    low, high = _of_sum(number, declared.max) if name == "sum" else (number.low, number.high)
    return Typed(form.span, Type.NUMBER, node, number.unit, low=low, high=high, is_whole=number.is_whole)


def _of_sum(number: Typed, most: int) -> Bounds:
    """The bounds of a sum of at most so many numbers, which may be none."""
    low = None if number.low is None else min(number.low * most, Fraction(0))
    high = None if number.high is None else max(number.high * most, Fraction(0))
    return low, high


def unknown_name(context: CheckContext, name: syntax.Name) -> bool:
    """Whether a name that is no signal is a list, or a field that is read where its object has no name; reported."""
    first, _, rest = name.name.partition(".")
    if (found := in_list(context.catalog, name.name)) is not None:
        of, field = found
        if not field:
            counted, asked = (example(context.catalog, of, form) for form in ("count", "any"))
            proposal = f"ask about its objects: `{counted}` for their number, `{asked}` for a condition"
            before = context.report.source.text[max(0, name.span.start - _LONGEST_CALL) : name.span.start].rstrip(" (")
            if silent := next((form for word, form in _OF_SILENCE.items() if before.endswith(word)), None):
                proposal = f"write `{silent.format(counted)}`: their number is sampled and silent as the list is"
            context.report.list_as_value(name.span, of, proposal)
        elif field in context.catalog.objects[of].fields:
            form = example(context.catalog, of, "any", field)
            context.report.field_outside(name.span, name.name, f"name one: `{form}`")
        else:
            _report_unknown_field(context, name.span, of, field)
    elif first in context.binders and not (rest and context.nearest(name.name, context.catalog.signals, "signals")):
        form = f"any({first} in ... where {name.name if rest else f'{first}.x'} ...)"
        context.report.field_outside(name.span, name.name, f"read it within `{form}`, or give a `let` an argument")
    else:
        return False
    return True


def _report_unknown_field(context: CheckContext, span: Span, of: str, field: str) -> None:
    """Report a field that a list lacks; `tracked.count` is taken for the form of this name."""
    known = context.catalog.objects[of].fields
    nearest = context.nearest(field, known, f"fields of {of}")
    form = "" if nearest or field.lower() not in MEANT else example(context.catalog, of, field)
    context.report.unknown_field(span, field, of, nearest, list(known), form=form)
