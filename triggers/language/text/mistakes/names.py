"""LT2xx: names that are unknown, missing or used twice."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean, name_meant, quoted, without_quotes
from triggers.language.text.mistakes.instead import CLOCKS, INSTEAD, NOTHING

_MAX_CIRCLE = 8


class NameMistakes(Collector):
    """LT2xx: names that are unknown, missing or used twice."""

    def unknown_signal(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT201: neither a signal of the catalog nor a `let`."""
        proposal = did_you_mean(nearest)
        if name.lower() in NOTHING or (not nearest and name in (*CLOCKS, "distance")):
            proposal = INSTEAD[name.lower()]
        elif not nearest and name.startswith("vehicle."):
            proposal = "attributes of vehicles are not signals: they stand in the `target` of a campaign"
        self._error("LT201", span, f"the signal catalog has no `{name}`", proposal)

    def power_in_unit(self, span: Span, name: str, meant: str) -> None:
        """LT201 for the end of a unit whose power was written without `^`."""
        self._error("LT201", span, f"the signal catalog has no `{name}`", f"if it belongs to the unit, write `{meant}`")

    def unit_apart(self, span: Span, name: str) -> None:
        """LT201 for a unit that was written with blanks."""
        self._error("LT201", span, f"the signal catalog has no `{name}`", "write a unit without blanks, as in `km/h`")

    def text_without_quotes(self, span: Span, name: str, subject: str, values: Sequence[str]) -> None:
        """LT201 for a text signal that is compared with a bare word."""
        shown = quoted((f'"{value}"' for value in values), "and")
        proposal = f'write `"{name}"`' if name in values else f"the values of {subject} are {shown}"
        self._error("LT201", span, f"the signal catalog has no `{name}`", proposal)

    def unknown_function(self, span: Span, name: str, nearest: Sequence[str], form: str = "") -> None:
        """LT202: an unknown operator."""
        proposal = f"write `{form}`" if form else INSTEAD.get(name.lower()) or did_you_mean(nearest)
        self._error("LT202", span, f"there is no operator `{name}`", proposal)

    def repeated_name(self, span: Span, kind: str, name: str) -> None:
        """LT203: two blocks of the same kind with the same name."""
        article = "an" if kind in ("argument", "import") else "a"
        self._error("LT203", span, f"there is already {article} {kind} `{name}`", "choose another name")

    def circular_signal(self, span: Span, circle: Sequence[str]) -> None:
        """LT212: a derived signal that depends on itself."""
        shown = " -> ".join(circle)
        self._error("LT212", span, f"the derived signal `{circle[0]}` depends on itself: {shown}")

    def circular_let(self, span: Span, circle: Sequence[str]) -> None:
        """LT204: a `let` defined in terms of itself."""
        # the circle has its name at both ends, and between them those of the others
        shown = circle if len(circle) <= _MAX_CIRCLE else [*circle[:_MAX_CIRCLE], "...", circle[-1]]
        way = f": {' uses '.join(quoted([name]) for name in shown)}" if len(circle) > 2 else ""
        self._error("LT204", span, f"`{circle[0]}` is defined in terms of itself{way}")

    def unknown_camera(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT205: an unknown camera."""
        self._error("LT205", span, f"the signal catalog has no camera `{name}`", did_you_mean(nearest))

    def empty_pattern(self, span: Span, pattern: str, nearest: Sequence[str]) -> None:
        """LT206: a wildcard that no signal matches."""
        self._error("LT206", span, f"no signal of the catalog matches `{pattern}`", did_you_mean(nearest))

    def unknown_head(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT207: a head needs an active and a shadow signal."""
        proposal = did_you_mean(nearest) or f"declare both `active.{name}` and `shadow.{name}`"
        self._error("LT207", span, f"the signal catalog has no head `{name}`", proposal)

    def unknown_fence(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT208: an unknown fence."""
        corners = "(48.06, 11.36), (48.25, 11.36), (48.25, 11.72)"
        plain, meant = name.strip('"'), name_meant(name.strip('"'))
        if self.alone:
            proposal = "only a trigger file has fences: use `near(48.1, 11.6, 500 m)`"
        elif nearest:
            proposal = did_you_mean(nearest)
        elif plain != name:
            proposal = without_quotes(plain)
        elif "." in name:  # of an imported file, which defines it
            proposal = ""
        else:
            use = "" if meant == name else f", and write `inside({meant})`"
            proposal = f"define it: `fence {meant} {{ {corners} }}`{use}" if meant else "choose another name for it"
        self._error("LT208", span, f"there is no fence `{name}`{'' if self.alone else ' in this file'}", proposal)

    def no_when(self, span: Span, name: str) -> None:
        """LT209: a trigger without a condition."""
        self._error("LT209", span, f"trigger `{name}` has no condition", "add a line `when ...`")

    def no_position(self, span: Span, name: str) -> None:
        """LT211: `near`, `inside` and the sun need the catalog's position."""
        proposal = "declare `position: {latitude: ..., longitude: ...}` in the signal catalog"
        self._error("LT211", span, f"`{name}` needs the vehicle's position", proposal)

    def no_odometer(self, span: Span, speed: str) -> None:
        """LT213: `distance` needs the catalog's speed or position."""
        proposal = f"declare `{speed}: {{unit: m/s, ...}}` or `position: {{latitude: ..., longitude: ...}}`"
        self._error("LT213", span, "`distance` needs the vehicle's speed or position", proposal)

    def measure_is_a_name(self, span: Span, name: str) -> None:
        """LT214: a measure of the language whose name the catalog or the file has taken."""
        message = f"`{name}` is a signal or a `let` here, so `{name} over W` is a window only in a call"
        self._error("LT214", span, message, f"write `{name} since A` or, for its largest value, `max({name} over 5 s)`")
