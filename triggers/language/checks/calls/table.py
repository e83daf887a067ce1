"""Checks of calls: every named operator of the language with its forms and what checks it."""

from __future__ import annotations

from triggers.language.analysis.typed import Typed
from triggers.language.checks.calls import choices, conditions, earlier, pairs, places, since, values, windows
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.calls.travel import as_window
from triggers.language.checks.context import CheckContext
from triggers.language.checks.forms_of_lists import meant_of_list
from triggers.language.text import syntax
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS

_FAMILIES = (values, choices, windows, conditions, earlier, pairs, places)
_PLAIN: Forms = {name: forms for family in _FAMILIES for name, forms in family.FORMS.items()}
FORMS: Forms = {name: (*_PLAIN.get(name, ()), *since.FORMS.get(name, ())) for name in (*_PLAIN, *since.FORMS)}
_HANDLERS: dict[str, Handler] = {name: handler for family in _FAMILIES for name, handler in family.HANDLERS.items()}


def call(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """The result of a call; `check` checks its arguments."""
    expression, name = as_window(context, expression), expression.function.text
    has_form = name in FORMS and _has_form(expression)
    if not has_form and (meant_of_objects := meant_of_list(context.catalog, expression)):
        if name in FORMS or name in FORMS_OF_OBJECTS:
            context.report.wrong_arguments(expression.span, name, meant_of_objects)
        else:
            context.report.unknown_function(expression.function.span, name, [], meant_of_objects)
        return context.error(expression.span)
    if name not in FORMS:
        context.report.unknown_function(expression.function.span, name, context.nearest(name, FORMS, "operators"))
        for argument in expression.arguments:
            check(context, argument)
        return context.error(expression.span)
    if not has_form:
        meant = (form for form in FORMS[name] if _tail(expression) in form)
        context.report.wrong_arguments(expression.span, name, next(meant, FORMS[name][0]))
        return context.error(expression.span)
    handlers = _HANDLERS if expression.since is None else since.HANDLERS
    return handlers[name](context, expression, check)


_TAILS = (" over ", " since ")


def _tail(expression: syntax.Call) -> str:
    """What ends the call's arguments: the word before a window or before the event from which on is looked; or none."""
    return _TAILS[0] if expression.over is not None else _TAILS[1] if expression.since is not None else ""


def _has_form(expression: syntax.Call) -> bool:
    """Whether the number of arguments, `over`, `since` and `within` match one of the operator's forms."""
    forms = FORMS[expression.function.text]
    if expression.within is not None and not any(" within " in form for form in forms):
        return False
    return any(_takes(form, expression) for form in forms)


def _takes(form: str, expression: syntax.Call) -> bool:
    """Whether the numbers of arguments, before and after a window if there is one, are those of this form."""
    if any((word in form) is not (word == _tail(expression)) for word in _TAILS):
        return False
    before, _, after = form.partition(" over ")
    is_open = form.endswith(", ...)")
    count, least = len(expression.arguments), before.count(",") + (not is_open)
    if after.count(",") != len(expression.further):
        return False
    return count >= least if is_open else count == least
