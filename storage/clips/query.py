"""A catalog query as a value: filter, order and page, each checked, and the SQL for them.

`where` alone serves whatever needs to know which clips match, but no order: counts, facets, datasets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Connection, true

from storage.clips.cql2 import Filter, Language, parse_filter
from storage.clips.cql2.tree import properties
from storage.clips.order import Order, PagePosition
from storage.clips.page_tokens import fingerprint, read_token, write_token
from storage.clips.plan import Caps, Columns, find_and_count, find_page, first_settings
from storage.clips.properties import Property
from triggers.contracts.api.clips import DEFAULT_SORT
from triggers.errors import InvalidInput

MAX_PAGE = 1000
DEFAULT_PAGE = 100


@dataclass(frozen=True)
class Page:
    """One page of the results: at most `limit` clips, from the beginning or after a position."""

    limit: int = DEFAULT_PAGE
    after: PagePosition | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """The clips of a page in order, and the token of the next page (None: this was the last)."""

    clips: list[PagePosition]
    next: str | None

    @property
    def clip_ids(self) -> list[str]:
        """The ids of its clips."""
        return [clip.clip_id for clip in self.clips]


@dataclass(frozen=True)
class ClipQuery:
    """The clips for which a filter is true (without a filter: all clips), in an order, one page at a time."""

    filter: Filter | None = None
    order: Order = field(default_factory=lambda: Order.parse(DEFAULT_SORT))
    page: Page = field(default_factory=Page)
    absent_is_null: bool = False
    """Whether a signal or an attribute that no clip has had is null, and not refused: for searches of others."""

    @classmethod
    def parse(
        cls,
        *,
        filter_source: str | None = None,
        language: Language = "cql2-text",
        sortby: str = DEFAULT_SORT,
        limit: int = DEFAULT_PAGE,
        token: str | None = None,
    ) -> ClipQuery:
        """The query that these texts stand for.

        InvalidInput for a filter, sort key, limit or token that cannot be used.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit is {limit}", remedy=f"give 1 to {MAX_PAGE}")
        parsed = None if filter_source is None else parse_filter(filter_source, language)
        return cls(parsed, Order.parse(sortby), Page(limit)).at_token(token)

    def at_token(self, token: str | None) -> ClipQuery:
        """The same query at the page that a token (None: the first page) stands for; InvalidInput if it is not its."""
        if token is None:
            return self
        after = read_token(token, self.fingerprint, self.order)
        return replace(self, page=replace(self.page, after=after))

    def where(self, *, fenced: bool = False) -> ColumnElement[bool]:
        """The condition on the table `clips`; `fenced` if how many clips are visited is decided elsewhere."""
        return true() if self.filter is None else self.filter.where(fenced=fenced)

    def properties(self) -> set[Property]:
        """Every property that the filter and the order ask for."""
        return {self.order.by} | (set() if self.filter is None else properties(self.filter.tree))

    def first_settings(self) -> Mapping[str, str]:
        """What a transaction may be set to before a page is asked for in it, which is told so by `set_to`."""
        return first_settings(None if self.filter is None else self.filter.tree, self.order)

    def positions(
        self,
        connection: Connection,
        caps: Caps | None = None,
        *,
        set_to: Mapping[str, str] | None = None,
        columns: Columns = (),
    ) -> list[PagePosition]:
        """The sort keys and ids of the page's clips, and of one more clip when there is a next page.

        What follows in the transaction is planned as `find_page` says, which takes `set_to` and `columns`, too.
        """
        tree, limit, after = None if self.filter is None else self.filter.tree, self.page.limit + 1, self.page.after
        return find_page(
            connection, tree, self.order, after=after, limit=limit, caps=caps, set_to=set_to, columns=columns
        )

    def first_and_count(self, connection: Connection, caps: Caps) -> tuple[list[PagePosition], int | None]:
        """The positions of the first page, and how many clips there are in all where finding it has told (or None)."""
        tree = None if self.filter is None else self.filter.tree
        return find_and_count(connection, tree, self.order, limit=self.page.limit + 1, caps=caps)

    def page_of(
        self,
        connection: Connection,
        caps: Caps | None = None,
        *,
        set_to: Mapping[str, str] | None = None,
        columns: Columns = (),
    ) -> FoundPage:
        """The page's clips in order, and the token of the next page; the rest as in `positions`."""
        positions = self.positions(connection, caps, set_to=set_to, columns=columns)
        page = positions[: self.page.limit]
        is_last = len(positions) == len(page)
        return FoundPage(page, None if is_last else self.token_after(page[-1]))

    def token_after(self, position: PagePosition) -> str:
        """The token of the page after the clip at this position."""
        return write_token(self.fingerprint, position)

    @property
    def fingerprint(self) -> str:
        """What ties tokens to this filter and order."""
        source = None if self.filter is None else self.filter.source
        return fingerprint(source, "" if self.filter is None else self.filter.language, self.order)
