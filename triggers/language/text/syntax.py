"""The syntax tree of a trigger file. Spans give the place of each node and do not count for equality."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction

from triggers.language.text.diagnostics import Span

BLOCKS = ("let", "trigger", "campaign", "fence", "param", "set", "import", "file")
"""Words that begin a block."""
NAMES_TOO = frozenset({"param", "set", "import", "file"})
"""Those that begin one only if a name or a text follows, since signals may have these names, too."""
NAMED_BY_TEXT = frozenset({"import", "file"})
"""Those that a text follows."""
SUN_WORDS = ("solar_time", "sun_elevation")  # which measure the time of day and the height of the sun


@dataclass(frozen=True, slots=True)
class Word:
    """A name or a quoted text, as written (a text without its quotes)."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Expression:
    """Base of the expressions; `depth` is the height of the tree."""

    span: Span = field(compare=False)
    depth: int = field(default=1, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        deepest = max((child.depth for child in self.children()), default=0)
        object.__setattr__(self, "depth", deepest + 1)

    def children(self) -> tuple[Expression, ...]:
        """Direct sub-expressions, in the order of the text."""
        return ()


@dataclass(frozen=True, slots=True)
class Quantity(Expression):
    """A number with its unit as written; `unit` is None if there is none."""

    value: Fraction
    unit: str | None
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class NamedQuantity(Quantity):
    """The name of a constant where a number with its unit may stand; `expansion` puts the constant in its place."""

    name: str


@dataclass(frozen=True, slots=True)
class Text(Expression):
    """A quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class Truth(Expression):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A signal, a `let`, a vehicle attribute."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """`-x`, `not P`."""

    operator: str
    operand: Expression

    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """`+ - * /` and comparisons."""

    operator: str
    left: Expression
    right: Expression

    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Junction(Expression):
    """`and` or `or` of two or more conditions."""

    operator: str
    operands: tuple[Expression, ...]

    def children(self) -> tuple[Expression, ...]:
        return self.operands


@dataclass(frozen=True, slots=True)
class Between(Expression):
    """`x between low and high`, both ends included."""

    subject: Expression
    low: Expression
    high: Expression

    def children(self) -> tuple[Expression, ...]:
        return (self.subject, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """`x in (a, b, ...)`, or `x in named`, whose items `expansion` fills in."""

    subject: Expression
    items: tuple[Expression, ...]
    named: Word | None = None

    def children(self) -> tuple[Expression, ...]:
        return (self.subject, *self.items)


@dataclass(frozen=True, slots=True)
class Outside(Expression):
    """`x outside red`: beyond the limits of that colour, which the signal catalog declares for the signal x."""

    subject: Expression
    colour: str

    def children(self) -> tuple[Expression, ...]:
        return (self.subject,)


@dataclass(frozen=True, slots=True)
class Hold(Expression):
    """`P for D`, `P for D tolerating G`, and both with `for at most D`."""

    condition: Expression
    duration: Quantity
    tolerating: Quantity | None
    at_most: bool = False

    def children(self) -> tuple[Expression, ...]:
        return (self.condition,)


@dataclass(frozen=True, slots=True)
class Sequence(Expression):
    """`A then B within W`, `A then B after D within W`, `A without B within W`."""

    operator: str
    first: Expression
    second: Expression
    within: Quantity
    after: Quantity | None = None

    def children(self) -> tuple[Expression, ...]:
        return (self.first, self.second)


@dataclass(frozen=True, slots=True)
class Change(Expression):
    """`changed(x) from a to b`; either end may be left out."""

    changed: Expression
    before: Expression | None
    after: Expression | None

    def children(self) -> tuple[Expression, ...]:
        return tuple(part for part in (self.changed, self.before, self.after) if part is not None)


@dataclass(frozen=True, slots=True)
class Since(Expression):
    """`P since Q`, `P since Q within W`."""

    condition: Expression
    start: Expression
    within: Quantity | None

    def children(self) -> tuple[Expression, ...]:
        return (self.condition, self.start)


@dataclass(frozen=True, slots=True)
class Every(Expression):
    """`every 10 min`."""

    period: Quantity


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """`f(x, ...)`, `f(x over W)`, `f(x over W, y)`, `f(x within S)`, `f(x since A)`."""

    function: Word
    arguments: tuple[Expression, ...]
    over: Quantity | None
    within: Quantity | None
    further: tuple[Expression, ...] = ()
    """The arguments after the window."""
    since: Expression | None = None

    def children(self) -> tuple[Expression, ...]:
        return (*self.arguments, *self.further, *(() if self.since is None else (self.since,)))


@dataclass(frozen=True, slots=True)
class At(Expression):
    """`x at A`: x at the latest rise of A."""

    subject: Expression
    event: Expression

    def children(self) -> tuple[Expression, ...]:
        return (self.subject, self.event)


@dataclass(frozen=True, slots=True)
class Measured(Expression):
    """`time since A`, `distance since A`, `distance over W`; either an event or a window."""

    measure: Word
    event: Expression | None
    over: Quantity | None = None

    def children(self) -> tuple[Expression, ...]:
        return () if self.event is None else (self.event,)


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = expression`, `let name(arguments) = expression`; `use`: the call that this one was expanded from."""

    name: Word
    value: Expression
    arguments: tuple[Word, ...] = ()
    use: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Param:
    """`param name = 300 ms`: a constant that has a name."""

    name: Word
    value: Quantity | Text | Truth


@dataclass(frozen=True, slots=True)
class Set:
    """`set name = ("truck", "bus")`: constants, or names of them."""

    name: Word
    items: tuple[Quantity | Text | Truth, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """`import "common.trigger" as c`."""

    path: Word
    alias: Word


@dataclass(frozen=True, slots=True)
class Fence:
    """`fence name { (latitude, longitude), ... }`, in degrees."""

    name: Word
    corners: tuple[tuple[Quantity, Quantity], ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """What a fire records; `signals` may have wildcards, and None means the default."""

    span: Span = field(compare=False)
    before: Quantity
    after: Quantity
    signals: tuple[Word, ...] | None
    cameras: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class RolloutStage:
    """`10 % for 2 d`."""

    share: Quantity
    duration: Quantity | None


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """`20 MB per vehicle per day then drop`, `20 clips per vehicle per day`, `2 TB total`, `30000 clips`."""

    kind: str
    amount: Quantity
    then: Word | None = None
    """What becomes of a clip that a spent day refuses: `keep` or `drop`; None: it is not said."""


@dataclass(frozen=True, slots=True)
class Route:
    """`on wifi`, `up to 2 MB on cellular`."""

    network: Word
    up_to: Quantity | None


@dataclass(frozen=True, slots=True)
class ComparedEvents:
    """`events cut_in.detected with driver.steers within 1 s` in `compare`."""

    head: Word
    driver: Word | None
    within: Quantity


@dataclass(frozen=True, slots=True)
class Sample:
    """`sample kept in out_of`."""

    kept: Quantity
    out_of: Quantity


@dataclass(frozen=True, slots=True)
class Period:
    """`active first to last`: dates as written."""

    first: Word
    last: Word


CLAUSE_PARTS = (Capture, RolloutStage, BudgetLimit, Route, ComparedEvents, Sample)
"""What clauses consist of, beside expressions, constants and words."""


@dataclass(slots=True)
class Trigger:
    """A trigger block; a clause that is missing or broken is None (`broken` names the broken ones)."""

    name: Word
    describe: Word | None = None
    when: Expression | None = None
    cooldown: Quantity | None = None
    capture: Capture | None = None
    tags: tuple[Word, ...] = ()
    sample: Sample | None = None
    priority: Quantity | None = None
    budget: tuple[BudgetLimit, ...] | None = None
    broken: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Campaign:
    """A campaign block; a clause that is missing or broken is None (`broken` names the broken ones)."""

    name: Word
    describe: Word | None = None
    collect: tuple[Word, ...] | None = None
    compare: tuple[Word | ComparedEvents, ...] = ()
    target: Expression | None = None
    rollout: tuple[RolloutStage, ...] | None = None
    sample: Sample | None = None
    budget: tuple[BudgetLimit, ...] | None = None
    upload: tuple[Route, ...] | None = None
    priority: Quantity | None = None
    active: Period | None = None
    retain: Quantity | None = None
    broken: set[str] = field(default_factory=set)


@dataclass(slots=True)
class File:
    """All blocks of a file, in the order of the text; `broken_lets` names lets, params and sets without a value.

    `language` is the version that the file begins with, None where it says none. `binders`: names of objects anywhere.
    """

    lets: list[Let] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    sets: list[Set] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    broken_lets: set[str] = field(default_factory=set)
    language: int | None = None
    imports: list[Import] = field(default_factory=list)
    files: list[Contained] = field(default_factory=list)
    binders: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Contained:
    """`file "common.trigger" { ... }`: the text of a file that is imported."""

    path: Word
    file: File


CLAUSE_WORDS: frozenset[str] = frozenset(
    item.name for block in (Trigger, Campaign) for item in fields(block) if item.name not in ("name", "broken")
)
"""Words that begin a clause: the fields of the blocks."""
