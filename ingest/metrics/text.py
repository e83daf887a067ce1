"""The text of metrics that are read when they are asked for, in both formats: many series, in little time.

prometheus-client renders what a process counts itself. For the 1,800 series of campaigns it takes longer than the
database does, so they are rendered here, to the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.exposition import generate_latest as generate_plain
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.utils import floatToGoString

from ingest.metrics.names import Family

_END = "# EOF\n"
_SPECIAL = re.compile(r'[\\\n"]')
_ESCAPES = {"\\": r"\\", "\n": r"\n", '"': r"\""}


class Form(Enum):
    """A format of `/metrics`, by its media type."""

    OPEN_METRICS = openmetrics.CONTENT_TYPE_LATEST
    PLAIN = CONTENT_TYPE_PLAIN_0_0_4


def exposed(registry: CollectorRegistry, families: Iterable[Family], form: Form) -> bytes:
    """The whole text: what the registry's collectors count, and these families."""
    if form is Form.PLAIN:
        return generate_plain(registry) + text(families, form).encode()
    counted: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
    return counted.removesuffix(_END.encode()) + (text(families, form) + _END).encode()


def text(families: Iterable[Family], form: Form) -> str:
    """The lines of these families, without the end of a text."""
    return "".join(part for family in families for part in _lines(family, form))


def _lines(family: Family, form: Form) -> Iterator[str]:
    metric = family.metric
    base = metric.name.removesuffix("_total") if form is Form.OPEN_METRICS else metric.name
    yield f"# HELP {base} {_help(metric.help, form)}\n# TYPE {base} {metric.kind}\n"
    # As prometheus-client writes them, labels are in the order of their names.
    order = sorted(range(len(metric.labels)), key=metric.labels.__getitem__)
    labels = ",".join(f'{metric.labels[index]}="%s"' for index in order)
    line = f"{metric.name}{{{labels}}} %s\n" if labels else f"{metric.name} %s\n"
    for values, value in family.samples:
        shown = floatToGoString(value)  # type: ignore[no-untyped-call]
        yield line % (*[_escaped(values[index]) for index in order], shown)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], value) if _SPECIAL.search(value) else value


def _help(sentence: str, form: Form) -> str:
    """The older format escapes no quotes here."""
    escaped = _escaped(sentence)
    return escaped if form is Form.OPEN_METRICS else escaped.replace(r"\"", '"')
