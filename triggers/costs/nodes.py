"""The nodes and values of a price book's YAML, read strictly: what is wrong is noted with its line and what to write.

What cannot be read is None, and reading goes on, so that all mistakes are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

import yaml

from triggers.costs.months import FIRST_DAY, LAST_DAY
from triggers.costs.prices import Stay
from triggers.foreign_text import foreign_name
from triggers.written_numbers import is_day

PRICE_DIGITS = 9
"""The largest number of decimals of a price, and of its digits before the point."""
MAX_SHOWN = 50
"""So many mistakes are told; a proposal takes time, and a text may have a hundred thousand mistakes."""
MAX_KEY_CHARACTERS = 100
MAX_STAY_DAYS = 36_500
MAX_STAY_MONTHS = 1200
_PRICE = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?", re.ASCII)
_DECIMAL = re.compile(r"[0-9]+\.[0-9]{10,}|[0-9]{10,}(\.[0-9]+)?", re.ASCII)
_PRICED = re.compile(r"(?P<price>\S+)(?: +(?P<currency>[A-Za-z]{3}))?", re.ASCII)
_STAY = re.compile(r"([1-9][0-9]{0,4}) (month|day)s?", re.ASCII)


class Nodes:
    """Reads nodes and collects `mistakes`: the line, the place in the document, and what is wrong there."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[int, str, str]] = []

    def wrong(self, node: yaml.Node, place: str, what: str) -> None:
        """Note a mistake."""
        self.mistakes.append((node.start_mark.line + 1, place, what))

    def text(self, node: yaml.Node | None, place: str) -> str | None:
        """The text of a single value, as it is written."""
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value)
        self.wrong(node, place, "it has no value" if isinstance(node, yaml.ScalarNode) else "it must be a single value")
        return None

    def sequence(self, node: yaml.Node | None, place: str, most: int) -> Sequence[yaml.Node]:
        """The entries of a list that has at least one and at most `most`."""
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.wrong(node, place, "it must be a list with at least one entry")
            return ()
        if len(node.value) > most:
            self.wrong(node, place, f"it has {len(node.value)} entries; the largest number is {most}")
            return ()
        return list(node.value)

    def mapping(
        self, node: yaml.Node, place: str, *, required: Sequence[str], optional: Sequence[str] = (), what: str = "key"
    ) -> dict[str, yaml.Node]:
        """The values of a mapping by key; tells of keys that are missing or unknown."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, place, f"it must have the {what}s {', '.join(required or optional)}")
            return {}
        known = (*required, *(key for key in optional if key not in required))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in known:
                found[key.value] = value
            else:
                meant = _meant(str(key.value), known) if len(self.mistakes) < MAX_SHOWN else ""  # the rest is not shown
                self.wrong(key, place, f"there is no {what} {foreign_name(str(key.value))} here{meant}")
        missing = [key for key in required if key not in found]
        if len(missing) == 1:
            self.wrong(node, place, f"the {what} {missing[0]} is missing; add it")
        elif missing:
            self.wrong(node, place, f"the {what}s {', '.join(missing)} are missing; add them")
        return found

    def price(self, node: yaml.Node | None, place: str, *, currency: str | None) -> Decimal | None:
        """A price: a decimal number as it is written, optionally with the book's currency after it."""
        text = self.text(node, place)
        if text is None or node is None:
            return None
        match = _PRICED.fullmatch(text)
        own = match["currency"] if match is not None else None
        if own is not None and currency is not None and own != currency:
            self.wrong(node, place, f"the price is in {own}, the book in {currency}; a book has one currency")
            return None
        number = match["price"] if match is not None else text
        if _PRICE.fullmatch(number) is None:
            self.wrong(node, place, _why_no_price(number))
            return None
        return Decimal(number)

    def day(self, node: yaml.Node | None, place: str) -> date | None:
        """A day such as 2026-01-31."""
        text = self.text(node, place)
        if text is None or node is None:
            return None
        try:
            day = date.fromisoformat(text) if is_day(text) else None
        except ValueError:
            day = None
        if day is None or not FIRST_DAY <= day <= LAST_DAY:
            self.wrong(
                node,
                place,
                f"{foreign_name(text)} is not a day; write one such as 2026-01-31, from {FIRST_DAY.year} on",
            )
            return None
        return day

    def stay(self, node: yaml.Node | None, place: str) -> Stay | None:
        """A time to stay, such as `3 months` or `90 days`."""
        text = self.text(node, place)
        if text is None or node is None:
            return None
        match = _STAY.fullmatch(text)
        stay = None
        if match is not None:
            stay = Stay(months=int(match[1])) if match[2] == "month" else Stay(days=int(match[1]))
        if stay is None or stay.months > MAX_STAY_MONTHS or stay.days > MAX_STAY_DAYS:
            self.wrong(
                node,
                place,
                f"{foreign_name(text)} is not a time to stay; write `3 months` or `90 days`, "
                f"{MAX_STAY_MONTHS} months or {MAX_STAY_DAYS} days at most",
            )
            return None
        return stay


def _meant(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key[:MAX_KEY_CHARACTERS], list(known), n=1)
    return f"; `{near[0]}` is meant?" if near else f"; known are {', '.join(known)}"


def _why_no_price(text: str) -> str:
    """What is wrong with the text of a price, and how to write it."""
    if text.startswith("-"):
        return f"{foreign_name(text)} is negative; a price is 0 or more"
    if "," in text:
        return f"{foreign_name(text)} has a comma; write decimals after a point, and no separators of thousands"
    if _DECIMAL.fullmatch(text) is not None and not text.startswith("00"):
        return (
            f"{foreign_name(text)} is too long; a price has at most {PRICE_DIGITS} digits on either side of the point"
        )
    return f"{foreign_name(text)} is not a decimal number; write digits and a point, such as 0.05"
