"""The rules of the suite: functions of plain values, each of which says in sentences what does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.settings import MIB
from tests.support.load.wire import Answer
from tests.support.load.witness import STREAMS, Seen, percentile
from triggers.contracts.problem import Problem

SLOWER_AT_MOST = 3.0
"""How many times its quiet p99 that of a witness may be during an attack."""
UNNOTICED_S = 0.05
"""A p99 below this is quick enough, whatever it is on a quiet machine."""
GROWTH_ALLOWANCE_BYTES = 24 * MIB
"""What the disks may grow in an attack without anybody being charged: the witnesses' rows, log lines, free space."""
GROWTH_PER_CHARGED_BYTE = 2.5
"""A byte of a clip is in the log, and then in its object and what is derived from it."""
BUSY = (429, 503)
_NO_LIMIT = ("unreachable", "misconfigured")
"""Codes of refusals for which no limit is the reason."""
_NUMBER = re.compile(r"\d")
_SHARE = re.compile(r"\b(your|yours|this caller|this vehicle|each|one|an address|a token|stolen-\d+)\b")


def kept_out(seen: Iterable[Seen]) -> Iterator[str]:
    """Requests of witnesses that failed; one sentence for each stream, with the first reason."""
    failures: dict[str, list[str]] = {}
    for each in seen:
        if each.failure:
            failures.setdefault(each.stream, []).append(each.failure)
    for stream, reasons in failures.items():
        yield f"{len(reasons)} requests of the witness at {stream!r} failed, such as by {reasons[0]}"


def slower(quiet: Sequence[Seen], during: Sequence[Seen], *, most: float = SLOWER_AT_MOST) -> Iterator[str]:
    """Streams of witnesses whose p99 is more than `most` times its quiet value, and noticed."""
    for stream in STREAMS:
        before_s, now_s = (percentile([each for each in seen if each.stream == stream]) for seen in (quiet, during))
        if now_s > max(most * before_s, UNNOTICED_S):
            yield (
                f"the witness at {stream!r} waited {now_s * 1000:.0f} ms (p99), "
                f"{now_s / max(before_s, 1e-6):.1f} times the {before_s * 1000:.0f} ms of a quiet time"
            )


def unhelpful(answers: Iterable[Answer]) -> Iterator[str]:
    """Refusals that do not say what a caller needs: the limit, its own share, when to try again, what to do."""
    for answer in answers:
        if answer.status < 400 or not answer.body:  # an answer to HEAD has no body
            continue
        try:
            problem = Problem.model_validate_json(answer.body)
        except ValueError:
            yield f"the {answer.status} is not a problem document: {answer.body[:200]!r}"
            continue
        lacks = list(_lacks(answer, problem))
        if lacks:
            yield f"the {answer.status} ({problem.detail!r}) does not say {' nor '.join(lacks)}"


def _lacks(answer: Answer, problem: Problem) -> Iterator[str]:
    if answer.status >= 500 and answer.status not in BUSY:
        yield "what the caller did wrong: it is an error of the server"
    if not problem.detail:
        yield "what was wrong"
    if answer.status in BUSY and problem.code not in _NO_LIMIT:
        if not _NUMBER.search(problem.detail):
            yield "the limit"
        if not _SHARE.search(problem.detail):
            yield "what of it is the caller's"
    if answer.status in BUSY and not (answer.retry_after.isdigit() and int(answer.retry_after) > 0):
        yield "when to try again"
    if answer.status in (*BUSY, 408, 413) and not problem.remedy:
        yield "what to do"
    if answer.status in (408, 413) and not _NUMBER.search(problem.detail):
        yield "the limit"


def telling(answers: Iterable[Answer], strangers: Iterable[str]) -> Iterator[str]:
    """Refusals that tell an attacker about others: any of these texts in them."""
    for stranger in strangers:
        for answer in answers:
            if answer.status >= 400 and stranger.encode() in answer.body:
                yield f"a {answer.status} names {stranger!r}: {answer.body[:200]!r}"
                break


@dataclass(frozen=True)
class Sizes:
    """How large things are on the disks, in bytes by name, and what callers were charged for so far."""

    on_disk: Mapping[str, int]
    charged_bytes: int

    @property
    def total_bytes(self) -> int:
        return sum(self.on_disk.values())


def uncharged_growth(before: Sizes, after: Sizes) -> Iterator[str]:
    """Growth of the disks beyond what callers were charged."""
    grown, charged = after.total_bytes - before.total_bytes, after.charged_bytes - before.charged_bytes
    if grown > GROWTH_ALLOWANCE_BYTES + GROWTH_PER_CHARGED_BYTE * charged:
        parts = {name: size - before.on_disk.get(name, 0) for name, size in after.on_disk.items()}
        told = ", ".join(f"{name} {size / MIB:.1f} MiB" for name, size in parts.items() if size > 0)
        yield f"the disks grew by {grown / MIB:.1f} MiB, and {charged / MIB:.1f} MiB were charged ({told})"


@dataclass(frozen=True)
class Books:
    """What the API says of the campaigns: their states, and the fires of the witness's own campaign."""

    states: Mapping[str, str]
    fired: int
    catalogued: int
    unaccounted: int


def wrong_books(books: Books, *, acknowledged: int) -> Iterator[str]:
    """Campaigns that an attack ended, and counts of the witness's campaign that are not what the witness did."""
    for name, state in books.states.items():
        if state != "active":
            yield f"the campaign {name} is {state}"
    # One more fire than clips: that of the upload that stays open. A report comes after its clip.
    if books.fired > acknowledged + 1:
        yield f"{books.fired} fires count, of which the witness had {acknowledged + 1} at most"
    if books.catalogued > acknowledged:
        yield f"{books.catalogued} fires count as catalogued, but the witness uploaded {acknowledged} clips"
    if books.unaccounted:
        yield f"{books.unaccounted} fires of the witness's campaign are unaccounted for"


def not_settled(books: Books, *, acknowledged: int) -> Iterator[str]:
    """What is missing of the witness's clips once all work is done."""
    if books.catalogued != acknowledged:
        yield f"{acknowledged} clips of the witness were acknowledged, and {books.catalogued} are catalogued"
