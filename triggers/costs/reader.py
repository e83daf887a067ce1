"""The reader of price books: strict and exact, and it tells all mistakes at once, each with its line and a remedy.

Prices are read from the text as it stands, never by way of a binary fraction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

import yaml

from triggers.contracts.campaign import Network
from triggers.contracts.limits import MAX_PRICE_BOOK_BYTES
from triggers.costs.currencies import CURRENCIES
from triggers.costs.months import DAY
from triggers.costs.nodes import MAX_SHOWN, Nodes
from triggers.costs.prices import PriceBook, RequestKind, Tariff, TierPrice
from triggers.costs.storage_classes import STORAGE_CLASSES
from triggers.errors import InvalidInput
from triggers.foreign_text import foreign_name
from triggers.strict_yaml import read_yaml

MAX_TARIFFS = 500
MAX_TIERS = 20
_TIER = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_Key = TypeVar("_Key", bound=str)


def load_price_book(path: Path) -> PriceBook:
    """Read a price book from a file. InvalidInput lists its mistakes."""
    return parse_price_book(read_price_book_text(path), name=str(path))


def read_price_book_text(path: Path) -> str:
    """The YAML text of a file. InvalidInput if it is too large, not UTF-8 or cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PRICE_BOOK_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > MAX_PRICE_BOOK_BYTES:
        raise InvalidInput(f"{path}: a price book has at most {MAX_PRICE_BOOK_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 at byte {error.start}") from error


def parse_price_book(text: str, *, name: str) -> PriceBook:
    """Read a price book from YAML; `name` stands for the file in messages. InvalidInput lists its mistakes."""
    root = read_yaml(text, name=name).root
    reader = _Reader()
    book = reader.book(root) if root is not None else None
    if book is None or reader.mistakes:
        raise InvalidInput(_listed(reader.mistakes or [(0, "the price book", "it is empty")], name))
    return book


def _listed(mistakes: Sequence[tuple[int, str, str]], name: str) -> str:
    """One mistake per line, in the order of the file, with the line of each."""
    lines = [f"{name}{f':{line}' if line else ''}: {key}: {what}" for line, key, what in sorted(set(mistakes))]
    if len(lines) > MAX_SHOWN:
        lines[MAX_SHOWN:] = [f"{name}: and {len(lines) - MAX_SHOWN} more mistakes"]
    return "\n".join(lines)


class _Days(NamedTuple):
    """The days of a tariff, end exclusive, with its line; `is_unknown` if its `through` could not be read."""

    line: int
    start: date | None
    end: date | None
    is_unknown: bool


class _Reader(Nodes):
    """Reads a price book from the nodes of its document."""

    def __init__(self) -> None:
        super().__init__()
        self._currency: str | None = None
        self._days: list[_Days] = []

    def book(self, root: yaml.Node) -> PriceBook | None:
        """The whole document."""
        needed, optional = ("currency", "tiers", "prices"), ("storage_classes",)
        keys = self.mapping(root, "the price book", required=needed, optional=optional)
        self._currency = self._currency_code(keys.get("currency"))
        tiers = self._tier_names(keys.get("tiers"))
        classes = self._storage_classes(keys.get("storage_classes"), tiers)
        nodes = self.sequence(keys.get("prices"), "prices", MAX_TARIFFS)
        tariffs = [self._tariff(node, f"prices.{number}", tiers) for number, node in enumerate(nodes)]
        self._check_order()
        whole = [tariff for tariff in tariffs if tariff is not None]
        if self._currency is None or not tiers or not whole:
            return None
        return PriceBook(self._currency, tiers, tuple(whole), classes)

    def _currency_code(self, node: yaml.Node | None) -> str | None:
        text = self.text(node, "currency")
        if text is None or node is None or text in CURRENCIES:
            return text
        meant = f", such as {text.upper()}" if text.upper() in CURRENCIES else ", such as EUR"
        self.wrong(node, "currency", f"{foreign_name(text)} is not a currency; write its code in ISO 4217{meant}")
        return None

    def _tier_names(self, node: yaml.Node | None) -> tuple[str, ...]:
        names: list[str] = []
        for entry in self.sequence(node, "tiers", MAX_TIERS):
            name = self.text(entry, "tiers")
            if name is None:
                continue
            if _TIER.fullmatch(name) is None:
                self.wrong(
                    entry, "tiers", f"{foreign_name(name)} is not a tier's name; use lower-case letters, digits and `_`"
                )
            elif name in names:
                self.wrong(entry, "tiers", f"{name} is named twice")
            else:
                names.append(name)
        return tuple(names)

    def _storage_classes(self, node: yaml.Node | None, tiers: Sequence[str]) -> Mapping[str, str]:
        """In which tier each storage class is; every one is in one tier."""
        tier_of: dict[str, str] = {}
        place = "storage_classes"
        keys = {} if node is None else self.mapping(node, place, required=(), optional=tiers, what="tier")
        for tier, entries in keys.items():
            for entry in self.sequence(entries, f"{place}.{tier}", len(STORAGE_CLASSES)):
                name = self.text(entry, f"{place}.{tier}")
                if name is None:
                    continue
                if name not in STORAGE_CLASSES:
                    known = ", ".join(STORAGE_CLASSES)
                    what = f"{foreign_name(name)} is not a storage class of S3; choose from {known}"
                    self.wrong(entry, f"{place}.{tier}", what)
                elif name in tier_of:
                    self.wrong(entry, f"{place}.{tier}", f"{name} is in the tier {tier_of[name]} already")
                else:
                    tier_of[name] = tier
        return tier_of

    def _tariff(self, node: yaml.Node, place: str, tiers: Sequence[str]) -> Tariff | None:
        if isinstance(node, yaml.MappingNode) and any(key.value == "currency" for key, _ in node.value):
            (key,) = (key for key, _ in node.value if key.value == "currency")
            self.wrong(
                key,
                f"{place}.currency",
                f"a price book has one currency, {self._currency or 'stated once at its top'}; "
                "prices in another belong in a book of their own",
            )
        keys = self.mapping(
            node,
            place,
            required=("from", "transfer_per_gb", "per_1000_requests", "storage"),
            optional=("through", "currency"),
        )
        start = self.day(keys.get("from"), f"{place}.from")
        last = self.day(keys.get("through"), f"{place}.through")
        is_backwards = start is not None and last is not None and last < start
        if is_backwards:
            self.wrong(
                keys["through"],
                f"{place}.through",
                f"{last} is before `from`, {start}; write the last day, or no `through`",
            )
        after = None if last is None else last + DAY
        is_unknown = is_backwards or (last is None and "through" in keys)
        self._days.append(_Days(node.start_mark.line + 1, start, after, is_unknown))
        transfer = self._prices(keys.get("transfer_per_gb"), f"{place}.transfer_per_gb", tuple(Network))
        requests = self._prices(keys.get("per_1000_requests"), f"{place}.per_1000_requests", tuple(RequestKind))
        storage = self._tiers(keys.get("storage"), f"{place}.storage", tiers)
        if start is None or transfer is None or requests is None or storage is None:
            return None
        return Tariff(start, after, transfer, requests, storage)

    def _tiers(self, node: yaml.Node | None, place: str, tiers: Sequence[str]) -> tuple[TierPrice, ...] | None:
        if node is None or not tiers:
            return None
        keys = self.mapping(node, place, required=tiers, what="tier")
        read = []
        for number, name in enumerate(tiers, 1):
            is_last = number == len(tiers)
            entry = keys.get(name)
            if entry is None:
                continue
            required = ("per_gb_month",) if is_last else ("per_gb_month", "stays")
            values = self.mapping(entry, f"{place}.{name}", required=required, optional=("stays",))
            price = self.price(values.get("per_gb_month"), f"{place}.{name}.per_gb_month", currency=self._currency)
            stays = self.stay(values.get("stays"), f"{place}.{name}.stays")
            if price is not None and (is_last or stays is not None):
                read.append(TierPrice(name, price, stays))
        return tuple(read) if len(read) == len(tiers) else None

    def _prices(self, node: yaml.Node | None, place: str, names: Sequence[_Key]) -> Mapping[_Key, Decimal] | None:
        if node is None:
            return None
        keys = self.mapping(node, place, required=names)
        prices = {name: self.price(keys.get(name), f"{place}.{name}", currency=self._currency) for name in names}
        read = {name: price for name, price in prices.items() if price is not None}
        return read if len(read) == len(names) else None

    def _check_order(self) -> None:
        """Each tariff begins on the day after the one before ends; those whose days could not be read are left out."""
        for number, (before, after) in enumerate(pairwise(self._days), 1):
            if (what := _out_of_order(before, after)) is not None:
                self.mistakes.append((after.line, f"prices.{number}", what))


def _out_of_order(before: _Days, after: _Days) -> str | None:
    """What is wrong with the days of two tariffs that follow each other; None if nothing is, or it is not known."""
    if before.start is None or after.start is None or before.is_unknown:
        return None
    earlier = f"the entry before it (line {before.line})"
    if after.start <= before.start:
        return f"it begins on {after.start}, and {earlier} on {before.start}; sort the entries by `from`"
    if before.end is None:
        return f"it overlaps {earlier}, which has no `through`; end that one through {after.start - DAY}"
    if after.start < before.end:
        last = min(before.end, after.end or before.end) - DAY
        return f"it overlaps {earlier}: there would be two prices from {after.start} through {last}"
    if after.start > before.end:
        return f"there is a gap after {earlier}: no prices from {before.end} through {after.start - DAY}"
    return None
