"""Parser of files: blocks and clauses. After a mistake it goes on at the next clause or block.

So one pass finds every mistake of form, and what is sound is still checked for meaning. Words of the language
are keywords only where a clause or block may begin; elsewhere they are ordinary names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source
from triggers.language.text.expression_parser import ExpressionParser, Panic
from triggers.language.text.lexer import Token, TokenKind, tokenize
from triggers.language.text.reporter import Reporter

BLOCKS = ("let", "trigger", "campaign", "fence")
TRIGGER_CLAUSES = ("describe", "when", "cooldown", "capture", "tags")
CAMPAIGN_CLAUSES = (
    "describe", "collect", "compare", "target", "rollout", "sample", "budget", "upload", "priority", "active",
    "retain",
)  # fmt: skip
BLOCK_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MAX_LIST = 10_000
_Item = TypeVar("_Item")


class Part(StrEnum):
    """Parts of a file that begin a line when it is formatted; LINE is one of a capture's body."""

    BLOCK = "block"
    CLAUSE = "clause"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Layout:
    """The tokens of a file, and which part begins at which of them (by index)."""

    tokens: list[Token]
    parts: dict[int, Part]


def parse(source: Source, reporter: Reporter) -> syntax.File:
    """The blocks of a file that have the form of the language; mistakes go to the reporter."""
    return parse_with_layout(source, reporter)[0]


def parse_with_layout(source: Source, reporter: Reporter) -> tuple[syntax.File, Layout]:
    """As `parse`, with where in the tokens the parts begin."""
    parser = _FileParser(tokenize(source, reporter), reporter)
    return parser.file(), Layout(parser.tokens, parser.parts)


class _FileParser(ExpressionParser):
    """Blocks, each with its clauses."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        super().__init__(tokens, reporter)
        self.parts: dict[int, Part] = {}

    def file(self) -> syntax.File:
        """All blocks up to the end."""
        result = syntax.File()
        while self.next.kind is not TokenKind.END:
            start = self.index
            try:
                self._block(result)
            except Panic:
                self._nesting = 0
                if self.index == start:
                    self.take()
                self._skip_to_block()
        return result

    def _block(self, result: syntax.File) -> None:
        token = self.next
        if not token.is_word(*BLOCKS):
            nearest = get_close_matches(token.text, BLOCKS, n=1)
            self.fail("`trigger`, `campaign`, `let` or `fence`", f"did you mean `{nearest[0]}`?" if nearest else "")
        self.parts[self.index] = Part.BLOCK
        self.take()
        self.boundary_words = BLOCKS
        if token.text == "let":
            self._let(result)
        elif token.text == "fence":
            result.fences.append(self._fence())
        elif token.text == "trigger":
            trigger = syntax.Trigger(self._new_name("a name for the trigger"))
            result.triggers.append(trigger)
            self._clauses(trigger, "trigger", TRIGGER_CLAUSES, self._trigger_clause)
        else:
            campaign = syntax.Campaign(self._new_name("a name for the campaign"))
            result.campaigns.append(campaign)
            self._clauses(campaign, "campaign", CAMPAIGN_CLAUSES, self._campaign_clause)

    def _let(self, result: syntax.File) -> None:
        name = self._new_name("a name for the expression")
        try:
            if not self.take_mark("="):
                self.fail("`=`", f"write `let {name.text} = ...`")
            result.lets.append(syntax.Let(name, self.expression()))
        except Panic:  # its uses are no mistakes of their own
            result.broken_lets.add(name.text)
            raise

    def _skip_to_block(self) -> None:
        while self.next.kind is not TokenKind.END and not self._begins_block():
            self.take()

    def _begins_block(self) -> bool:
        token = self.next
        return token.starts_line and token.is_word(*BLOCKS)

    def _clauses(
        self,
        block: syntax.Trigger | syntax.Campaign,
        kind: str,
        words: tuple[str, ...],
        parse_clause: Callable[..., None],
    ) -> None:
        self.demand_mark("{")
        self.boundary_words = words
        seen: set[str] = set()
        while not self.take_mark("}"):
            if self.next.kind is TokenKind.END or self._begins_block():
                self.report.unclosed_block(block.name.span, kind, block.name.text)
                return
            self.parts[self.index] = Part.CLAUSE
            word = self.take()
            try:
                if not word.is_word(*words):
                    self._no_clause(word, kind, words)
                if word.text in seen:
                    self.report.repeated_clause(word.span, word.text)
                seen.add(word.text)
                parse_clause(block, word.text)
                if not self._at_boundary(words):
                    self.fail(f"the next clause of the {kind} or `}}`")
            except Panic:
                self._nesting = 0
                _forget(block, word.text)
                self._skip_to_clause(words)

    def _no_clause(self, word: Token, kind: str, words: tuple[str, ...]) -> None:
        if word.kind is not TokenKind.WORD:
            self.report.expected(word.span, f"a clause of the {kind} or `}}`", word.shown())
        else:
            nearest = get_close_matches(word.text, words, n=2)
            self.report.unknown_clause(word.span, word.text, kind, nearest)
        raise Panic

    def _at_boundary(self, words: tuple[str, ...]) -> bool:
        token = self.next
        return (
            token.kind is TokenKind.END
            or token.is_mark("}")
            or token.is_word(*words)
            or (token.starts_line and token.kind is TokenKind.WORD)
        )

    def _skip_to_clause(self, words: tuple[str, ...]) -> None:
        """Go on to the next clause of this block or to its end; bodies in braces are passed as a whole."""
        depth = 0
        while self.next.kind is not TokenKind.END and not self._begins_block():
            token = self.next
            if depth == 0 and (token.is_mark("}") or token.is_word(*words)):
                return
            depth += token.is_mark("{") - token.is_mark("}")
            self.take()

    # clauses of a trigger

    def _trigger_clause(self, trigger: syntax.Trigger, word: str) -> None:
        if word == "describe":
            trigger.describe = self._text()
        elif word == "when":
            trigger.when = self.expression()
        elif word == "cooldown":
            trigger.cooldown = self.duration("60 s")
        elif word == "capture":
            trigger.capture = self._capture()
        else:
            trigger.tags = self._list(self._text)

    def _capture(self) -> syntax.Capture:
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
                    signals = (signals or ()) + self._list(self._pattern)
                elif self.take_word("cameras"):
                    cameras += self._list(self._camera)
                else:
                    self.fail("`signals`, `cameras` or `}`")
        return syntax.Capture(self.spanning(start), before, after, signals, cameras)

    def _pattern(self) -> syntax.Word:
        if self.next.kind not in (TokenKind.WORD, TokenKind.DOTTED, TokenKind.WILDCARD):
            self.fail("a signal or a pattern such as `ego.*`")
        token = self.take()
        return syntax.Word(token.text, token.span)

    def _camera(self) -> syntax.Word:
        return self._word("the name of a camera")

    # clauses of a campaign

    def _campaign_clause(self, campaign: syntax.Campaign, word: str) -> None:
        if word in ("describe", "collect", "compare", "target"):
            self._choice_clause(campaign, word)
        elif word in ("rollout", "budget", "upload"):
            self._volume_clause(campaign, word)
        elif word == "sample":
            kept = self.quantity("a whole number")
            self.demand_word("in", "write, for example, `sample 1 in 4`")
            campaign.sample = syntax.Sample(kept, self.quantity("a whole number"))
        elif word == "priority":
            campaign.priority = self.quantity("a whole number from 0 to 100")
        elif word == "active":
            first = self._date()
            self.demand_word("to")
            campaign.active = syntax.Period(first, self._date())
        else:
            campaign.retain = self.duration("400 d")

    def _choice_clause(self, campaign: syntax.Campaign, word: str) -> None:
        if word == "describe":
            campaign.describe = self._text()
        elif word == "collect":
            campaign.collect = self._list(lambda: self._word("the name of a trigger"))
        elif word == "compare":
            campaign.compare = self._list(self._pattern)
        else:
            campaign.target = self.expression()

    def _volume_clause(self, campaign: syntax.Campaign, word: str) -> None:
        if word == "rollout":
            campaign.rollout = self._list(self._stage)
        elif word == "budget":
            campaign.budget = self._list(self._limit)
        else:
            campaign.upload = self._list(self._route)

    def _stage(self) -> syntax.RolloutStage:
        share = self.quantity("a share such as `10 %`")
        return syntax.RolloutStage(share, self.duration("2 d") if self.take_word("for") else None)

    def _limit(self) -> syntax.BudgetLimit:
        amount = self.quantity("a limit such as `20 MB per vehicle per day`")
        if self.take_word("clips"):
            return syntax.BudgetLimit("clips", amount)
        if self.take_word("total"):
            return syntax.BudgetLimit("total", amount)
        if not self.next.is_word("per"):
            self.fail("`per vehicle per day`, `total` or `clips`")
        for word in ("per", "vehicle", "per", "day"):
            if not self.take_word(word):
                self.fail("`per vehicle per day`")
        return syntax.BudgetLimit("vehicle_day", amount)

    def _route(self) -> syntax.Route:
        up_to = None
        if self.take_word("up"):
            self.demand_word("to")
            up_to = self.quantity("a size such as `2 MB`")
        self.demand_word("on")
        return syntax.Route(self._word("`wifi` or `cellular`"), up_to)

    # parts

    def _fence(self) -> syntax.Fence:
        name = self._new_name("a name for the fence")
        self.demand_mark("{")
        corners = [self._corner()]
        while self.take_mark(",") and not self.next.is_mark("}"):
            corners.append(self._corner())
        self.demand_mark("}")
        return syntax.Fence(name, tuple(corners))

    def _corner(self) -> tuple[syntax.Quantity, syntax.Quantity]:
        self.demand_mark("(")
        latitude = self._signed()
        self.demand_mark(",")
        longitude = self._signed()
        self.demand_mark(")")
        return latitude, longitude

    def _signed(self) -> syntax.Quantity:
        minus = self.take_mark("-")
        number = self.demand(TokenKind.NUMBER, "degrees such as `48.06`")
        return self._quantity(number, (minus or number).span, -1 if minus else 1)

    def _list(self, parse_item: Callable[[], _Item]) -> tuple[_Item, ...]:
        items = [parse_item()]
        while self.take_mark(","):
            items.append(parse_item())
            if len(items) > _MAX_LIST:
                self.fail(f"at most {_MAX_LIST} entries")
        return tuple(items)

    def _text(self) -> syntax.Word:
        token = self.demand(TokenKind.TEXT, 'a text in quotes, such as `"cut-in"`')
        return syntax.Word(token.text[1:-1], token.span)

    def _word(self, what: str) -> syntax.Word:
        token = self.demand(TokenKind.WORD, what)
        return syntax.Word(token.text, token.span)

    def _date(self) -> syntax.Word:
        token = self.demand(TokenKind.DATE, "a date such as `2026-12-31`")
        return syntax.Word(token.text, token.span)

    def _new_name(self, what: str) -> syntax.Word:
        if self.next.kind is TokenKind.DOTTED:
            self.report.bad_name(self.next.span, self.next.text)
            self.take()
            raise Panic
        word = self._word(what)
        if not BLOCK_NAME.fullmatch(word.text):
            self.report.bad_name(word.span, word.text)
        return word


def _forget(block: syntax.Trigger | syntax.Campaign, clause: str) -> None:
    """Take back what was read of a broken clause: half an expression gives misleading mistakes."""
    block.broken.add(clause)
    if hasattr(block, clause) and clause != "name":
        setattr(block, clause, () if clause in ("tags", "compare") else None)
