"""The program as bytes: canonical JSON of the typed intermediate form, and what a decoder accepts of it.

`encode` is deterministic: the same program gives the same bytes. Bytes come from outside, so `decode` checks
every kind, index, number and size before anything runs them. Vehicle and backtest both run what `decode`
gives of the very same bytes; a campaign's digest is their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, NoReturn

from triggers.contracts.base import canonical_json
from triggers.contracts.campaign import MAX_TRIGGERS
from triggers.errors import InvalidInput
from triggers.language.ir import LISTS, OPERATIONS, Kind, Node, Operation, Parameter, is_integer

FORMAT = "longtail-program/1"
LANGUAGE_VERSION = 1
MAX_PROGRAM_BYTES = 4 * 1024 * 1024
MAX_NODES = 20_000
MAX_INPUTS = 5_000
MAX_ARGUMENTS = 1_000
MAX_CAPACITY = 1_000_000
MAX_TOTAL_CAPACITY = 10_000_000
MAX_TIME_NS = 10 * 366 * 86_400 * 1_000_000_000
_INPUT_TYPES = ("number", "bool", "text")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SIGNAL = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True)
class Input:
    """A signal the program reads.

    `max_age_ns` None: never expires within a segment (`update: on_change`). `initial` is the value at a
    segment's start (text as index, bool as 0 or 1). `unit` is the unit rows deliver it in.
    """

    name: str
    type: str
    unit: str
    max_age_ns: int | None
    initial: float | None
    values: tuple[str, ...] = ()

    @property
    def on_change(self) -> bool:
        """True where the signal is only sent when it changes."""
        return self.max_age_ns is None


@dataclass(frozen=True, slots=True)
class TriggerCode:
    """A trigger: the node of its condition and its cooldown."""

    name: str
    root: int
    cooldown_ns: int


@dataclass(frozen=True, slots=True)
class Program:
    """Everything an evaluator needs: inputs, nodes (arguments first), triggers, and what makes a segment."""

    max_gap_ns: int
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    triggers: tuple[TriggerCode, ...]

    def signals_of(self) -> tuple[int, ...]:
        """For each node the signals it reads, as a bit mask over the inputs."""
        masks: list[int] = []
        for node in self.nodes:
            mask = 1 << int(node.parameters[0]) if node.op == "input" else 0  # type: ignore[arg-type]
            for argument in node.arguments:
                mask |= masks[argument]
            masks.append(mask)
        return tuple(masks)


def digest(data: bytes) -> str:
    """SHA-256 of a program's bytes, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def encode(program: Program) -> bytes:
    """The one byte form of a program."""
    return canonical_json(
        {
            "format": FORMAT,
            "language": LANGUAGE_VERSION,
            "max_gap_ns": program.max_gap_ns,
            "inputs": [_input_json(item) for item in program.inputs],
            "nodes": [_node_json(node) for node in program.nodes],
            "triggers": [
                {"name": trigger.name, "root": trigger.root, "cooldown_ns": trigger.cooldown_ns}
                for trigger in program.triggers
            ],
        }
    )


def _input_json(item: Input) -> dict[str, Any]:
    return {
        "name": item.name,
        "type": item.type,
        "unit": item.unit,
        "max_age_ns": item.max_age_ns,
        "on_change": item.on_change,
        "initial": item.initial,
        "values": list(item.values),
    }


def _node_json(node: Node) -> dict[str, Any]:
    result: dict[str, Any] = {"op": node.op, "kind": str(node.kind)}
    if node.arguments:
        result["args"] = list(node.arguments)
    for name, value in zip(OPERATIONS[node.op].parameters, node.parameters, strict=True):
        result[name] = list(value) if isinstance(value, tuple) else value
    return result


def decode(data: bytes) -> Program:
    """The program in these bytes; raises InvalidInput naming the place that breaks a rule."""
    if len(data) > MAX_PROGRAM_BYTES:
        _refuse("the whole document", f"has {len(data)} bytes, more than {MAX_PROGRAM_BYTES}")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"program: not a JSON document ({error})") from error
    return _Decoder().program(document)


def _refuse(place: str, what: str) -> NoReturn:
    raise InvalidInput(f"program: {place} {what}", remedy="compile the campaign again")


def _fields(value: Any, place: str, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        _refuse(place, f"is not an object with the fields {', '.join(sorted(names))}")
    return value


def _list(value: Any, place: str, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        _refuse(place, f"is not a list of at most {limit} entries")
    return value


def _integer(value: Any, place: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        _refuse(place, f"is not an integer from {low} to {high}")
    return value


def _float(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(place, "is not a number")
    if (isinstance(value, int) and value.bit_length() > 1000) or not math.isfinite(value):
        _refuse(place, "is not a finite number")
    return float(value)


def _text(value: Any, place: str, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        _refuse(place, f"is not a text of at most {limit} characters")
    return value


def _name(value: Any, place: str, pattern: re.Pattern[str]) -> str:
    text = _text(value, place, 200)
    if not pattern.fullmatch(text):
        _refuse(place, "is not a name")
    return text


class _Decoder:
    """Checks a document from its front to its back."""

    def __init__(self) -> None:
        self.inputs: tuple[Input, ...] = ()
        self.nodes: list[Node] = []

    def program(self, document: Any) -> Program:
        names = {"format", "language", "max_gap_ns", "inputs", "nodes", "triggers"}
        fields = _fields(document, "the whole document", names)
        if fields["format"] != FORMAT or fields["language"] != LANGUAGE_VERSION:
            _refuse("format", f"is not {FORMAT} of language version {LANGUAGE_VERSION}")
        max_gap_ns = _integer(fields["max_gap_ns"], "max_gap_ns", 1, MAX_TIME_NS)
        inputs = _list(fields["inputs"], "inputs", MAX_INPUTS)
        self.inputs = tuple(self._input(item, f"inputs[{i}]") for i, item in enumerate(inputs))
        for i, item in enumerate(_list(fields["nodes"], "nodes", MAX_NODES)):
            self.nodes.append(self._node(item, f"nodes[{i}]"))
        capacity = sum(node.capacity for node in self.nodes)
        if capacity > MAX_TOTAL_CAPACITY:
            _refuse("nodes", f"hold {capacity} window entries, more than {MAX_TOTAL_CAPACITY}")
        triggers = _list(fields["triggers"], "triggers", MAX_TRIGGERS)
        codes = tuple(self._trigger(item, f"triggers[{i}]") for i, item in enumerate(triggers))
        _refuse_repeated([item.name for item in self.inputs], "inputs")
        _refuse_repeated([item.name for item in codes], "triggers")
        return Program(max_gap_ns, self.inputs, tuple(self.nodes), codes)

    def _input(self, value: Any, place: str) -> Input:
        names = {"name", "type", "unit", "max_age_ns", "on_change", "initial", "values"}
        fields = _fields(value, place, names)
        if fields["type"] not in _INPUT_TYPES:
            _refuse(f"{place}.type", f"is none of {', '.join(_INPUT_TYPES)}")
        age = fields["max_age_ns"]
        if fields["on_change"] is not (age is None):
            _refuse(f"{place}.on_change", "contradicts max_age_ns")
        initial = fields["initial"]
        texts = _list(fields["values"], f"{place}.values", 10_000)
        return Input(
            name=_name(fields["name"], f"{place}.name", _SIGNAL),
            type=fields["type"],
            unit=_text(fields["unit"], f"{place}.unit", 100),
            max_age_ns=None if age is None else _integer(age, f"{place}.max_age_ns", 1, MAX_TIME_NS),
            initial=None if initial is None else _float(initial, f"{place}.initial"),
            values=tuple(_text(text, f"{place}.values", 200) for text in texts),
        )

    def _node(self, value: Any, place: str) -> Node:
        op = value.get("op") if isinstance(value, dict) else None
        operation = OPERATIONS.get(op) if isinstance(op, str) else None
        if operation is None:
            _refuse(place, "has no known operation")
        names = {"op", "kind", *operation.parameters, *(("args",) if operation.arguments else ())}
        fields = _fields(value, place, names)
        arguments = self._arguments(fields.get("args", []), operation, place)
        parameters = tuple(self._parameter(fields, name, place) for name in operation.parameters)
        kind = operation.result
        if kind is None:
            kind = self._input_kind(int(parameters[0])) if fields["op"] == "input" else self.nodes[arguments[0]].kind  # type: ignore[arg-type]
        if fields["kind"] != kind:
            _refuse(f"{place}.kind", f"is not {kind}")
        return Node(fields["op"], arguments, parameters, kind)

    def _input_kind(self, index: int) -> Kind:
        return Kind.BOOL if self.inputs[index].type == "bool" else Kind.NUMBER

    def _arguments(self, value: Any, operation: Operation, place: str) -> tuple[int, ...]:
        given = _list(value, f"{place}.args", MAX_ARGUMENTS)
        arguments = tuple(_integer(i, f"{place}.args", 0, len(self.nodes) - 1) for i in given)
        expected = operation.arguments * len(arguments) if operation.variadic else operation.arguments
        if len(arguments) != len(expected) or (operation.variadic and len(arguments) < 2):
            _refuse(f"{place}.args", "has the wrong number of entries")
        kinds = [self.nodes[i].kind for i in arguments]
        fits = all(want is None or want == kind for want, kind in zip(expected, kinds, strict=True))
        if not fits or (expected == (None, None) and kinds[0] != kinds[1]):
            _refuse(f"{place}.args", "are of the wrong kind")
        return arguments

    def _parameter(self, fields: dict[str, Any], name: str, place: str) -> Parameter:
        value, where = fields[name], f"{place}.{name}"
        if fields["op"] == "truth":
            if not isinstance(value, bool):
                _refuse(where, "is neither true nor false")
            return value
        if name in LISTS:
            return tuple(_float(item, where) for item in _list(value, where, 10_000))
        if not is_integer(name):
            return _float(value, where)
        if name == "input":
            return _integer(value, where, 0, len(self.inputs) - 1)
        if name == "capacity":
            return _integer(value, where, 1, MAX_CAPACITY)
        low = 0 if name in ("tolerate_ns", "hold_ns") else 1
        return _integer(value, where, low, MAX_TIME_NS)

    def _trigger(self, value: Any, place: str) -> TriggerCode:
        fields = _fields(value, place, {"name", "root", "cooldown_ns"})
        root = _integer(fields["root"], f"{place}.root", 0, len(self.nodes) - 1)
        if self.nodes[root].kind is not Kind.BOOL:
            _refuse(f"{place}.root", "is not a condition")
        cooldown_ns = _integer(fields["cooldown_ns"], f"{place}.cooldown_ns", 0, MAX_TIME_NS)
        return TriggerCode(_name(fields["name"], f"{place}.name", _NAME), root, cooldown_ns)


def _refuse_repeated(names: list[str], place: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            _refuse(place, f"names {name} {times} times")
