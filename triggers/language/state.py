"""An evaluator's state as JSON, so that a vehicle keeps windows, holds and cooldowns over a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from triggers.contracts.base import canonical_json
from triggers.errors import InvalidInput
from triggers.language import program as program_form

if TYPE_CHECKING:
    from triggers.language.interpreter import Evaluator

FORMAT = "longtail-state/1"
MAX_STATE_BYTES = 256 * 1024 * 1024


def save(evaluator: Evaluator) -> bytes:
    """Everything an evaluator remembers, bound to its program's digest."""
    return canonical_json(
        {
            "format": FORMAT,
            "program": program_form.digest(program_form.encode(evaluator.program)),
            "previous_ns": evaluator._previous_ns,
            "ended": evaluator._ended,
            "inputs": [held.save() for held in evaluator._held],
            "values": evaluator._values,
            "operators": [step.operator.save() for step in evaluator._steps],
            "triggers": [[t.last, t.cooldown_until_ns, t.suppressed] for t in evaluator._triggers],
        }
    )


def restore(evaluator: Evaluator, data: bytes) -> None:
    """Take over a saved state; InvalidInput, and an unchanged evaluator, where it is not one of this program."""
    if len(data) > MAX_STATE_BYTES:
        raise InvalidInput(f"saved state has {len(data)} bytes, more than {MAX_STATE_BYTES}")
    try:
        document = json.loads(data)
        expected = program_form.digest(program_form.encode(evaluator.program))
        if document["format"] != FORMAT or document["program"] != expected:
            raise InvalidInput("saved state belongs to another program", remedy="start with an empty state")
        fresh = type(evaluator)(evaluator.program)
        _load(fresh, document)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"saved state is damaged ({error})", remedy="start with an empty state") from error
    evaluator.__dict__.update(fresh.__dict__)


def _load(evaluator: Evaluator, document: dict[str, Any]) -> None:
    for held, saved in zip(evaluator._held, document["inputs"], strict=True):
        held.load(saved)
    for step, saved in zip(evaluator._steps, document["operators"], strict=True):
        step.operator.load(saved)
    for trigger, (last, until_ns, suppressed) in zip(evaluator._triggers, document["triggers"], strict=True):
        trigger.last, trigger.cooldown_until_ns, trigger.suppressed = last, int(until_ns), int(suppressed)
    if len(document["values"]) != len(evaluator._values):
        raise ValueError("wrong number of values")
    evaluator._values = list(document["values"])
    if not isinstance(document["ended"], bool):
        raise TypeError("`ended` is no truth value")
    evaluator._ended = document["ended"]
    previous_ns = document["previous_ns"]
    evaluator._previous_ns = None if previous_ns is None else int(previous_ns)
