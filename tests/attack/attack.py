"""An attack: what it tries, and what it notes of the answers that it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from tests.attack.target import Target
from tests.support.load.flooder import Flooded
from tests.support.load.wire import Answer


@dataclass
class Notes:
    """What came of one attack: the answers to it, and in sentences what should not have come."""

    answers: list[Answer] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What is no finding, such as how many requests were refused."""

    def hear(self, response: httpx.Response, *expected: int) -> httpx.Response:
        """Note an answer; a finding unless its status is one of those that are expected, if any are named."""
        answer = Answer(response.status_code, response.content, response.headers.get("Retry-After", ""))
        self.answers.append(answer)
        if expected:
            self.require(
                answer.status in expected,
                f"{response.request.method} {response.request.url.path} was answered {answer.status} "
                f"instead of {' or '.join(map(str, expected))}: {response.text[:200]!r}",
            )
        return response

    def hear_flood(self, flooded: Iterable[Flooded]) -> None:
        """Note what became of floods."""
        for each in flooded:
            self.answers += each.kinds
            counted = ", ".join(f"{count} x {status}" for status, count in sorted(each.statuses.items()))
            self.remarks.append(f"answers: {counted or 'none'}; {each.cut} connections ended without one")

    def require(self, holds: bool, otherwise: str) -> None:
        """A finding in the words of `otherwise` unless this holds."""
        if not holds:
            self.findings.append(otherwise)


Action = Callable[[Target, Notes, float], None]


@dataclass(frozen=True)
class Attack:
    """`kind` is flood, drip, fill, forge or replay.

    `action` gets the target, the notes, and for how many seconds it goes on, where it goes on.
    """

    kind: str
    action: Action
    in_short: bool = field(default=False, kw_only=True)
    """Whether the ordinary tests try it, too."""

    @property
    def name(self) -> str:
        """What it tries, in words."""
        return f"{self.kind}: {self.action.__name__.replace('_', ' ')}"
