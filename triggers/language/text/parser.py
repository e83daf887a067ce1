"""The parser of files: blocks and their clauses. After a mistake it continues at the next clause or block.

One pass therefore finds every syntax error, and the intact parts can still be checked further. Words of the language
are keywords only where a clause or block may begin; elsewhere they are ordinary names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from triggers.language.text import syntax
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES, Clause, ClauseParser, Form, Part
from triggers.language.text.diagnostics import Source, Span
from triggers.language.text.expressions.cursor import Panic
from triggers.language.text.lexer import NEVER_UNITS, Token, TokenKind, tokenize
from triggers.language.text.mistakes.collector import BLOCK_NAME, without_quotes
from triggers.language.text.reporter import Reporter
from triggers.language.text.syntax import BLOCKS
from triggers.signals.reserved import RESERVED

LANGUAGE_VERSION = 2
"""The version that a file may ask for; without it, the words that came with it are names where they clash."""
_IN_CONDITIONS = ("(", ")", "<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/")
"""What follows the first word of a condition, and no word of a clause: `=` may be meant to set one."""
_WHEN = "begin a condition with `when`, as in `when ego.speed > 20 km/h`"
_WORDS_INSTEAD = {
    **dict.fromkeys(("const", "constant", "define", "parameter"), "param hold = 300 ms"),
    **dict.fromkeys(("def", "var", "function", "fn", "func", "fun", "macro"), "let fast(x) = x > 20 km/h"),
    **dict.fromkeys(("include", "from", "use", "using", "require"), 'import "common.trigger" as c'),
    **dict.fromkeys(("rule", "alert", "event", "when", "if"), "trigger t { when ego.speed > 20 km/h }"),
}
"""Words that begin a block in other languages, and what they begin here."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The tokens of a file, and its parts by the index of the token at which each begins."""

    tokens: list[Token]
    parts: dict[int, Part]


def parse(source: Source, reporter: Reporter) -> syntax.File:
    """The blocks of a file that could be parsed; mistakes go to the reporter.

    >>> source = Source("trigger t { when not p cooldown 5 }", "a.trigger")
    >>> report = Reporter(source)
    >>> (trigger,) = parse(source, report).triggers
    >>> trigger.when.operator, trigger.when.operand.name, trigger.cooldown, trigger.broken
    ('not', 'p', None, {'cooldown'})
    >>> [diagnostic.message for diagnostic in report.diagnostics]
    ['a duration needs a unit of time, but `5` has none']
    """
    return parse_with_layout(source, reporter)[0]


def parse_condition(source: Source, reporter: Reporter, name: str) -> syntax.File:
    """A file with one trigger, called `name`, whose condition is the whole text; mistakes go to the reporter."""
    parser = ClauseParser(tokenize(source, reporter), reporter)
    trigger = syntax.Trigger(syntax.Word(name, Span(0, len(source.text))))
    try:
        trigger.when = parser.expression()
        if parser.next.kind is not TokenKind.END:
            has_word = parser.tokens[0].is_word("when", "trigger")
            parser.fail("the end of this condition", "give the condition alone, without `when`" if has_word else "")
    except Panic:
        trigger.when = None
        trigger.broken.add("when")
    return syntax.File(triggers=[trigger], binders=parser.binders)


def parse_constant(tokens: list[Token], reporter: Reporter) -> syntax.Quantity | syntax.Text | syntax.Truth | None:
    """The constant that the tokens are, as after `param hold =`; None after reporting a mistake."""
    parser = _FileParser(tokens, reporter)
    try:
        constant = parser.constant()
        if parser.next.kind is not TokenKind.END:
            parser.fail("the end of this constant")
    except Panic:
        return None
    return constant


def parse_with_layout(source: Source, reporter: Reporter) -> tuple[syntax.File, Layout]:
    """Like `parse`, and also where in the tokens the parts begin."""
    parser = _FileParser(tokenize(source, reporter), reporter)
    return parser.file(), Layout(parser.tokens, parser.parts)


class _FileParser(ClauseParser):
    """Blocks, each with its clauses."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        super().__init__(tokens, reporter)
        self._within = 0
        """Blocks in which another one begins, as reported: their closing braces may come after that one."""

    def file(self) -> syntax.File:
        """All blocks up to the end."""
        result = syntax.File(language=self._language())
        while self.next.kind is not TokenKind.END:
            self._sound_block(result)
        result.binders = self.binders
        return result

    def _sound_block(self, result: syntax.File, *, is_contained: bool = False) -> None:
        """The next block; after a mistake the parser is at the block after it, or at the end of a contained file."""
        start, outside = self.index, self.braces
        try:
            self._block(result)
        except Panic:
            self.recover()
            if self.index == start:
                self.take()
            self._skip_to_block(self.braces - outside if is_contained else None)

    def _contained(self, result: syntax.File) -> None:
        """A file in braces, which contains no further ones."""
        path, inner = self.text(), syntax.File()
        self.demand_mark("{")
        result.files.append(syntax.Contained(path, inner))  # whatever mistakes follow, its text was sent
        inner.language = self._language()
        is_known = self.tokens[self.index - 1].text == str(LANGUAGE_VERSION)  # else that was reported
        if inner.language is not None and result.language is None and is_known:
            self.report.version_of_import_alone(path.span, path.text, inner.language)
        while not self.next.is_mark("}"):
            if self.next.kind is TokenKind.END:
                self.report.unclosed_block(path.span, "file", path.text)
                return
            if self.next.is_word("file") and self.begins_block():
                self.report.contained_twice(self.next.span)
                self._skip_contained()
            else:
                self._sound_block(inner, is_contained=True)
        self.parts[self.index] = Part.BLOCK
        self.take()

    def _skip_contained(self) -> None:
        """Skip a file within a contained one, to after its closing brace, or else to that of the outer one."""
        outside = self.braces
        while self.next.kind is not TokenKind.END and not (self.next.is_mark("}") and self.braces == outside):
            if self.take().is_mark("}") and self.braces == outside:
                return

    def _import(self, result: syntax.File) -> None:
        path = self.text()
        self.demand_word("as", f'write `import "{path.text}" as c`, and then `c.name` for what it defines')
        result.imports.append(syntax.Import(path, self._constant_name("a name for the import")))

    def _language(self) -> int | None:
        """The header `language 2`; a version that does not exist is reported and taken for the latest."""
        if not self.next.is_word("language") or self.tokens[self.index + 1].kind is not TokenKind.NUMBER:
            return None
        self.parts[self.index] = Part.BLOCK
        self.take()
        version = self.take()
        if version.text != str(LANGUAGE_VERSION):
            self.report.unknown_version(version.span, version.text, LANGUAGE_VERSION)
        return LANGUAGE_VERSION

    def _block(self, result: syntax.File) -> None:
        token = self.next
        if self._within and self.take_mark("}"):
            self._within -= 1
            return
        if not token.is_word(*BLOCKS):
            instead = _WORDS_INSTEAD.get(token.text.lower())
            nearest = get_close_matches(token.text, BLOCKS, n=1)
            proposal = f"did you mean `{nearest[0]}`?" if nearest else ""
            self.fail(
                "`trigger`, `campaign`, `let`, `param`, `set`, `fence` or `import`",
                f"write, for example, `{instead}`" if instead else proposal,
            )
        self.parts[self.index] = Part.BLOCK
        self.take()
        self.boundary_words, self.in_expression = BLOCKS, True
        if token.text == "let":
            self._let(result)
        elif token.text == "param":
            self._param(result)
        elif token.text == "set":
            self._set(result)
        elif token.text == "import":
            self._import(result)
        elif token.text == "file":
            self._contained(result)
        elif token.text == "fence":
            result.fences.append(self._fence())
        elif token.text == "trigger":
            trigger = syntax.Trigger(self._new_name("a name for the trigger"))
            result.triggers.append(trigger)
            self._clauses(trigger, "trigger", TRIGGER_CLAUSES)
        else:
            campaign = syntax.Campaign(self._new_name("a name for the campaign"))
            result.campaigns.append(campaign)
            self._clauses(campaign, "campaign", CAMPAIGN_CLAUSES)

    def _let(self, result: syntax.File) -> None:
        name = self._readable_name("a name for the expression")
        try:
            arguments = self._arguments(name.text)
            if not self.take_mark("="):
                self.fail("`=`", f"write `let {name.text} = ...`")
            result.lets.append(syntax.Let(name, self.expression(), arguments))
        except Panic:  # its uses must not be reported as well
            result.broken_lets.add(name.text)
            raise

    def _arguments(self, name: str) -> tuple[syntax.Word, ...]:
        """The names of a let's arguments, none without parentheses."""
        if not self.take_mark("("):
            return ()
        if self.next.is_mark(")"):
            self.fail("a name for the argument", f"write `let {name} = ...` without parentheses")
        arguments = self.items(lambda: self._readable_name("a name for the argument"))
        self.demand_mark(")")
        return arguments

    def _param(self, result: syntax.File) -> None:
        name = self._constant_name("a name for the constant")
        try:
            if not self.take_mark("="):
                self.fail("`=`", f"write `param {name.text} = 300 ms`")
            result.params.append(syntax.Param(name, self.constant()))
            is_over = self.next.starts_line or self.next.kind is TokenKind.END or self.next.is_mark("}")
            if not (is_over or self.begins_block()):
                self.fail("the next block: a param is one constant, such as `300 ms`")
        except Panic:
            result.broken_lets.add(name.text)
            raise

    def _set(self, result: syntax.File) -> None:
        name = self._constant_name("a name for the set")
        try:
            if not self.take_mark("="):
                self.fail("`=`", f'write `set {name.text} = ("a", "b")`')
            if not self.take_mark("("):
                self.fail("`(`", f'write `set {name.text} = ("a", "b")`')
            result.sets.append(syntax.Set(name, self._items(name)))
        except Panic:
            result.broken_lets.add(name.text)
            raise

    def _items(self, name: syntax.Word) -> tuple[syntax.Quantity | syntax.Text | syntax.Truth, ...]:
        if self.next.is_mark(")"):
            self.report.empty_set(name.span.to(self.next.span), name.text)
            raise Panic
        items = self.items(self._item)
        self.demand_mark(")")
        return items

    def _item(self) -> syntax.Quantity | syntax.Text | syntax.Truth:
        """An item of a set: a constant or, as a NamedQuantity, the name of one."""
        is_name = not self.next.is_word("true", "false") and self._names_constant()
        return self.quantity("a constant") if is_name else self.constant()

    def constant(self) -> syntax.Quantity | syntax.Text | syntax.Truth:
        """A number with its unit, which may be negative, a text, `true` or `false`."""
        token = self.next
        if token.kind is TokenKind.TEXT:
            return syntax.Text(self.take().span, token.text[1:-1])
        if token.is_word("true", "false"):
            return syntax.Truth(self.take().span, token.text == "true")
        return self._signed("a constant: a number with its unit, a text, `true` or `false`")

    def _skip_to_block(self, depth: int | None) -> None:
        """Skip to the next block; `depth`: the braces that are still open in a contained file, which also ends it."""
        while self.next.kind is not TokenKind.END and not self._begins_block():
            token = self.next
            if depth is not None:
                if depth <= 0 and token.is_mark("}"):
                    return
                depth += token.is_mark("{") - token.is_mark("}")
            self.take()

    def _begins_block(self) -> bool:
        return self.next.starts_line and self.begins_block()

    def _clauses(self, block: syntax.Trigger | syntax.Campaign, kind: str, clauses: Mapping[str, Clause]) -> None:
        try:
            if not self.take_mark("{"):
                self.fail("`{`", f"put the clauses in braces: `{kind} {block.name.text[:40]} {{ ... }}`")
        except Panic:  # whatever the block lacks was not read
            block.broken.update(clauses)
            raise
        self.boundary_words = tuple(clauses)
        seen: set[str] = set()
        while not self.take_mark("}"):
            if self.next.kind is TokenKind.END or self._begins_block():
                self._within += self.next.kind is not TokenKind.END
                self.report.unclosed_block(block.name.span, kind, block.name.text, self.next.text)
                return
            self.parts[self.index] = Part.CLAUSE
            outside = self.braces
            word = self.take()
            self.in_expression = word.text not in clauses or clauses[word.text].form is Form.EXPRESSION
            try:
                if not word.is_word(*clauses):
                    self._no_clause(word, kind, block)
                if word.text in seen:
                    self.report.repeated_clause(word.span, word.text)
                seen.add(word.text)
                setattr(block, word.text, clauses[word.text].parse(self))
                if not self._at_boundary():
                    self.fail(f"the next clause of the {kind} or `}}`")
            except Panic:
                self.recover()
                block.broken.add(word.text)
                if word.text in clauses:  # half an expression would cause misleading reports
                    setattr(block, word.text, clauses[word.text].empty)
                else:  # nor is the clause that was meant a missing one
                    block.broken.update(get_close_matches(word.text, clauses, n=1))
                self._skip_to_clause(self.braces - outside)

    def _no_clause(self, word: Token, kind: str, block: syntax.Trigger | syntax.Campaign) -> None:
        nearest = get_close_matches(word.text, self.boundary_words, n=2) if word.kind is TokenKind.WORD else []
        is_value = not nearest and self.next.is_mark(*_IN_CONDITIONS)
        is_condition = word.kind is TokenKind.DOTTED or word.is_word("not") or is_value
        if is_condition and isinstance(block, syntax.Trigger) and "when" not in block.broken and block.when is None:
            block.broken.add("when")
            self.report.expected(word.span, f"a clause of the {kind} or `}}`", word.shown(), _WHEN)
        elif word.kind is not TokenKind.WORD:
            self.report.expected(word.span, f"a clause of the {kind} or `}}`", word.shown())
        else:
            self.report.unknown_clause(word.span, word.text, kind, nearest)
        raise Panic

    def _at_boundary(self) -> bool:
        token = self.next
        return (
            token.kind is TokenKind.END
            or token.is_mark("}")
            or token.is_word(*self.boundary_words)
            or (token.starts_line and token.kind is TokenKind.WORD)
        )

    def _skip_to_clause(self, depth: int) -> None:
        """Skip to the next clause of this block or to its end; `depth` is the number of braces that are still open.

        Bodies in braces are skipped as a whole, but a word that begins a clause on a line of its own ends one that was
        never closed.
        """
        while self.next.kind is not TokenKind.END and not self._begins_block():
            token = self.next
            begins_clause = token.is_word(*self.boundary_words)
            if (depth <= 0 and token.is_mark("}")) or (begins_clause and (depth <= 0 or token.starts_line)):
                return
            depth += token.is_mark("{") - token.is_mark("}")
            self.take()

    def _fence(self) -> syntax.Fence:
        name = self._readable_name("a name for the fence")
        self.demand_mark("{")
        corners = [self._corner()]
        while self.take_mark(",") and not self.next.is_mark("}"):
            corners.append(self._corner())
        self.demand_mark("}")
        return syntax.Fence(name, tuple(corners))

    def _corner(self) -> tuple[syntax.Quantity, syntax.Quantity]:
        self.demand_mark("(")
        latitude = self._signed("degrees such as `48.06`")
        self.demand_mark(",")
        longitude = self._signed("degrees such as `48.06`")
        self.demand_mark(")")
        return latitude, longitude

    def _signed(self, what: str) -> syntax.Quantity:
        minus = self.take_mark("-")
        number = self.demand(TokenKind.NUMBER, what)
        return self._quantity(number, (minus or number).span, -1 if minus else 1)

    def _readable_name(self, what: str, words: frozenset[str] = RESERVED) -> syntax.Word:
        """A new name that stands in expressions, and is none of these words of the language."""
        is_quoted = self.next.kind is TokenKind.TEXT  # which was reported as that
        name = self._new_name(what)
        if name.text in words and not is_quoted:
            self.report.reserved_name(name.span, name.text)
        return name

    def _constant_name(self, what: str) -> syntax.Word:
        """A new name that stands in expressions and clauses."""
        return self._readable_name(what, RESERVED | NEVER_UNITS)

    def _new_name(self, what: str) -> syntax.Word:
        if self.next.kind is TokenKind.DOTTED:
            self.report.bad_name(self.next.span, self.next.text)
            self.take()
            raise Panic
        if self.next.kind is TokenKind.TEXT:  # which may be what the rest of the file calls it
            name = self.next.text[1:-1]
            self.report.expected(self.next.span, what, self.next.shown(), without_quotes(name))
            return syntax.Word(name, self.take().span)
        word = self._whole_word(what)
        if not BLOCK_NAME.fullmatch(word.text):
            self.report.bad_name(word.span, word.text)
        return word

    def _whole_word(self, what: str) -> syntax.Word:
        """A word with the hyphens and words right after it: that is one bad name and not several mistakes."""
        span = self.word(what).span
        while self.next.is_mark("-") and self.next.span.start == span.end:
            span = span.to(self.take().span)
            if self.next.span.start == span.end and self.next.kind in (TokenKind.WORD, TokenKind.NUMBER):
                span = span.to(self.take().span)
        return syntax.Word(self.report.source.text[span.start : span.end], span)
