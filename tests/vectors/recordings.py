"""How a vector's recording is written down: rows of samples as they were measured, restarts, ends of drives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from triggers.language.rows import Row
from triggers.signals.objects import ObjectSample

MS = 1_000_000


class Event(StrEnum):
    """What a line of a recording says."""

    ROW = "row"
    RESTART = "restart"
    """The state is saved, the instance dropped, a new one made and the state restored."""
    END = "end"
    """The drive is over."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a row's time and samples, or what happens between two rows."""

    event: Event
    t_ns: int = 0
    samples: Mapping[str, float] = field(default_factory=dict)
    objects: Mapping[str, ObjectSample] = field(default_factory=dict)


def recording(text: str) -> list[Line]:
    """Lines from their short form, with `;` between them: `100 x=1 y=inf` (a row at 100 ms), `restart`, `end`.

    A sample of a list is written without blanks, with `,` between the numbers of an object and `|` between objects:
    `100 tracked=[7,1.5,0|9,nan,1]`.
    """
    lines = []
    for each in text.replace("\n", ";").split(";"):
        match each.split():
            case []:
                pass
            case [("restart" | "end") as event]:
                lines.append(Line(Event(event)))
            case [t_ms, *samples]:
                pairs = dict(sample.split("=") for sample in samples)
                objects = {
                    name: read_objects(text.replace("|", ";").replace(",", " "))
                    for name, text in pairs.items()
                    if text[0] == "["
                }
                numbers = {name: float(text) for name, text in pairs.items() if name not in objects}
                lines.append(Line(Event.ROW, int(Decimal(t_ms) * MS), numbers, objects))
    return lines


def series(signal: str, values: Sequence[float | None], *, step_ms: int, start_ms: int = 0) -> list[Line]:
    """Samples of one signal at equal steps; None leaves its row out."""
    return [
        Line(Event.ROW, (start_ms + index * step_ms) * MS, {signal: float(value)})
        for index, value in enumerate(values)
        if value is not None
    ]


def in_order(*parts: Sequence[Line]) -> list[Line]:
    """Rows of several signals in order of time; rows of equal time stay apart, as they were measured."""
    return sorted((line for part in parts for line in part), key=lambda line: line.t_ns)


def to_csv(lines: Sequence[Line]) -> str:
    """The recording as CSV: no sample is an empty field, and numbers are the shortest that read back the same."""
    signals = sorted({name for line in lines for name in (*line.samples, *line.objects)})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["event", "t_ns", *signals])
    for line in lines:
        written = {name: repr(number) for name, number in line.samples.items()}
        written |= {name: written_objects(sample) for name, sample in line.objects.items()}
        fields = [written.get(name, "") for name in signals]
        writer.writerow([line.event, line.t_ns if line.event is Event.ROW else "", *fields])
    return text.getvalue()


def written_objects(sample: ObjectSample) -> str:
    """A sample of a list: the key and the fields of each object, as in `[7 1.5 0.0; 9 nan 1.0]`."""
    objects = zip(sample.keys, sample.values, strict=True)
    return f"[{'; '.join(' '.join([str(key), *map(repr, values)]) for key, values in objects)}]"


def read_objects(text: str) -> ObjectSample:
    """The sample that is written so.

    >>> read_objects("[7 1.5 0.0; 9 nan 1.0]").keys, read_objects("[]").keys
    ((7, 9), ())
    """
    objects = [each.split() for each in text.strip("[]").split(";") if each]
    return ObjectSample(
        tuple(int(key) for key, *_ in objects), tuple(tuple(map(float, values)) for _, *values in objects)
    )


def from_csv(text: str) -> list[Line]:
    """The recording in a CSV file."""
    lines = []
    for fields in csv.DictReader(io.StringIO(text)):
        event, t_ns = Event(fields.pop("event")), fields.pop("t_ns")
        samples = {name: float(text) for name, text in fields.items() if text and text[0] != "["}
        objects = {name: read_objects(text) for name, text in fields.items() if text and text[0] == "["}
        lines.append(Line(event, int(t_ns), samples, objects) if event is Event.ROW else Line(event))
    return lines


def stretches(lines: Sequence[Line]) -> Iterator[tuple[list[Row], Event | None]]:
    """Runs of rows, those of equal time merged (the last sample wins), each with the event that ends it."""
    rows: list[Row] = []
    for (event, t_ns), group in groupby(lines, key=lambda line: (line.event, line.t_ns)):
        if event is Event.ROW:
            samples: dict[str, float] = {}
            objects: dict[str, ObjectSample] = {}
            for line in group:
                samples.update(line.samples)
                objects.update(line.objects)
            rows.append(Row(t_ns, samples, objects))
            continue
        for _ in group:
            yield rows, event
            rows = []
    yield rows, None
