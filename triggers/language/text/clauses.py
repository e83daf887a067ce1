"""The clauses of triggers and campaigns: how each is parsed, its default, and its layout.

A new clause is a field of `syntax.Trigger` or `syntax.Campaign` (its name is the clause's word), an entry of
`TRIGGER_CLAUSES` or `CAMPAIGN_CLAUSES` below, a rule in `grammar.lark`, a check (`checks.checker`, `checks.campaigns`)
that gives a field of the contract (`triggers.contracts.campaign`), and a row of docs/language.md. Parser, formatter and
the words that are never units follow from the first two; tests check that the tables and the grammar agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, TypeVar

from triggers.language.text import syntax
from triggers.language.text.expression_parser import ExpressionParser
from triggers.language.text.lexer import Token, TokenKind
from triggers.language.text.reporter import Reporter

_MAX_LIST = 10_000
_NAMES = (TokenKind.WORD, TokenKind.DOTTED, TokenKind.WILDCARD)
_Item = TypeVar("_Item")


class Part(StrEnum):
    """Parts of a file that begin a line when it is formatted; LINE is one of a capture's body."""

    BLOCK = "block"
    CLAUSE = "clause"
    LINE = "line"


class ClauseParser(ExpressionParser):
    """Parses what follows a clause's word."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        super().__init__(tokens, reporter)
        self.parts: dict[int, Part] = {}
        """The parts of the file, by the index of the token at which each begins."""

    def capture(self) -> syntax.Capture:
        """`8 s before, 4 s after { ... }`."""
        start = self.next.span
        before = self.duration("8 s")
        self.demand_word("before")
        self.demand_mark(",")
        after = self.duration("4 s")
        self.demand_word("after")
        signals: tuple[syntax.Word, ...] | None = None
        cameras: tuple[syntax.Word, ...] = ()
        if self.take_mark("{"):
            while not self.take_mark("}"):
                self.parts[self.index] = Part.LINE
                if self.take_word("signals"):
                    signals = (signals or ()) + self.items(self._chosen)
                elif self.take_word("cameras"):
                    cameras += self.items(self._camera)
                else:
                    self.fail("`signals`, `cameras` or `}`")
        return syntax.Capture(self.spanning(start), before, after, signals, cameras)

    def pattern(self) -> syntax.Word:
        """A signal, or all signals below a name: `ego.*`."""
        if self.next.kind not in _NAMES:
            self.fail("a signal or a pattern such as `ego.*`")
        token = self.take()
        return syntax.Word(token.text, token.span)

    def _chosen(self) -> syntax.Word:
        """A signal, a pattern, or `*`: all signals."""
        star = self.take_mark("*")
        return self.pattern() if star is None else syntax.Word(star.text, star.span)

    def compared(self) -> syntax.Word | syntax.ComparedEvents:
        """A head, or `events HEAD [with SIGNAL] within 1 s`.

        A head may itself be called `events`: then no name follows it, but a comma or the next clause.
        """
        if not self.next.is_word("events"):
            return self.pattern()
        events = self.pattern()
        if self.next.kind not in _NAMES or self.next.is_word(*self.boundary_words):
            return events
        head = self.pattern()
        driver = self.pattern() if self.take_word("with") else None
        if not self.next.is_word("within"):
            self.fail(
                "`within`" if driver else "`with` or `within`", "write how far apart the rises may be: `within 1 s`"
            )
        self.take()
        return syntax.ComparedEvents(head, driver, self.duration("1 s"))

    def _camera(self) -> syntax.Word:
        return self.word("the name of a camera")

    def trigger_name(self) -> syntax.Word:
        """The name of a trigger."""
        return self.word("the name of a trigger")

    def stage(self) -> syntax.RolloutStage:
        """`10 % for 2 d`."""
        share = self.quantity("a share such as `10 %`")
        return syntax.RolloutStage(share, self.duration("2 d") if self.take_word("for") else None)

    def limit(self) -> syntax.BudgetLimit:
        """`20 MB per vehicle per day then drop`, `20 clips per vehicle per day`, `2 TB total`, `30000 clips`."""
        amount = self.quantity("a limit such as `20 MB per vehicle per day`")
        of_clips = self.take_word("clips") is not None
        if of_clips and not self.next.is_word("per"):
            return syntax.BudgetLimit("clips", amount)
        if not of_clips and self.take_word("total"):
            return syntax.BudgetLimit("total", amount)
        if not self.next.is_word("per"):
            self.fail("`per vehicle per day`, `total` or `clips`")
        for word in ("per", "vehicle", "per", "day"):
            if not self.take_word(word):
                self.fail("`per vehicle per day`")
        kind = "vehicle_day_clips" if of_clips else "vehicle_day"
        return syntax.BudgetLimit(kind, amount, self._then() if self.take_word("then") else None)

    def _then(self) -> syntax.Word:
        if not self.next.is_word("keep", "drop"):
            self.fail("`then keep` or `then drop`")
        return self.word("`keep` or `drop`")

    def route(self) -> syntax.Route:
        """`on wifi`, `up to 2 MB on cellular`."""
        up_to = None
        if self.take_word("up"):
            self.demand_word("to")
            up_to = self.quantity("a size such as `2 MB`")
        self.demand_word("on")
        return syntax.Route(self.word("`wifi` or `cellular`"), up_to)

    def sample(self) -> syntax.Sample:
        """`1 in 4`."""
        kept = self.quantity("a whole number")
        self.demand_word("in", "write, for example, `sample 1 in 4`")
        return syntax.Sample(kept, self.quantity("a whole number"))

    def period(self) -> syntax.Period:
        """`2026-12-01 to 2027-01-31`."""
        first = self._date()
        self.demand_word("to")
        return syntax.Period(first, self._date())

    # parts of clauses

    def items(self, parse_item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """One or more items between commas."""
        items = [parse_item()]
        while self.take_mark(","):
            items.append(parse_item())
            if len(items) > _MAX_LIST:
                self.fail(f"at most {_MAX_LIST} entries")
        return tuple(items)

    def text(self) -> syntax.Word:
        """A text in double quotes."""
        token = self.demand(TokenKind.TEXT, 'a text in quotes, such as `"cut-in"`')
        return syntax.Word(token.text[1:-1], token.span)

    def word(self, what: str) -> syntax.Word:
        """A word that names something; `what` describes it in messages."""
        token = self.demand(TokenKind.WORD, what)
        return syntax.Word(token.text, token.span)

    def _date(self) -> syntax.Word:
        token = self.demand(TokenKind.DATE, "a date such as `2026-12-31`")
        return syntax.Word(token.text, token.span)


class Form(Enum):
    """How a clause is laid out."""

    WORDS = "words on one line, bodies in braces below"
    EXPRESSION = "an expression, broken at its operators"
    LIST = "items between commas, one per line if they do not fit on one"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a block: its parser, its value if it is missing or broken, and its layout."""

    parse: Callable[[ClauseParser], Any]
    empty: Any = None
    form: Form = Form.WORDS


def _list_of(parse_item: Callable[[ClauseParser], object], empty: object = None) -> Clause:
    return Clause(lambda parser: parser.items(lambda: parse_item(parser)), empty, Form.LIST)


_SAMPLE = Clause(ClauseParser.sample)
_BUDGET = _list_of(ClauseParser.limit)
_PRIORITY = Clause(lambda parser: parser.quantity("a whole number from 0 to 100"))

TRIGGER_CLAUSES: dict[str, Clause] = {
    "describe": Clause(ClauseParser.text),
    "when": Clause(ClauseParser.expression, form=Form.EXPRESSION),
    "cooldown": Clause(lambda parser: parser.duration("60 s")),
    "capture": Clause(ClauseParser.capture),
    "tags": _list_of(ClauseParser.text, ()),
    "sample": _SAMPLE,
    "priority": _PRIORITY,
    "budget": _BUDGET,
}
CAMPAIGN_CLAUSES: dict[str, Clause] = {
    "describe": Clause(ClauseParser.text),
    "collect": _list_of(ClauseParser.trigger_name),
    "compare": _list_of(ClauseParser.compared, ()),
    "target": Clause(ClauseParser.expression, form=Form.EXPRESSION),
    "rollout": _list_of(ClauseParser.stage),
    "sample": _SAMPLE,
    "budget": _BUDGET,
    "upload": _list_of(ClauseParser.route),
    "priority": _PRIORITY,
    "active": Clause(ClauseParser.period),
    "retain": Clause(lambda parser: parser.duration("400 d")),
}
