"""Use case for the audit of the ledger: accounts, entries, uploads, clips and objects compared to the byte."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.services import Services
from storage.diagnosis import books
from storage.diagnosis.ledger import accounts_that_differ, count_accounts, entries_that_differ
from storage.diagnosis.objects import unknown_object_keys
from storage.objects.contract import ObjectNotFound, ObjectUnreadable
from storage.statements.time_limit import time_limit
from triggers.contracts.api.budget import BudgetAudit
from triggers.contracts.users import Role, User

SUMMING_S = 60.0


def audit_page(services: Services, user: User, *, after: str, limit: int) -> BudgetAudit:
    """A page of the audit. The first one compares all accounts with the sums of their entries, too.

    Overloaded when that takes longer than SUMMING_S.
    """
    user.require(Role.OPERATOR)
    accounts, differences = 0, []
    if not after:
        with (
            services.database.begin() as connection,
            time_limit(connection, SUMMING_S, what="summing up the ledger", remedy="run `longtail doctor --full`"),
        ):
            accounts = count_accounts(connection)
            differences = accounts_that_differ(connection, limit=books.MAX_DIFFERENCES + 1)
            differences += entries_that_differ(connection, limit=books.MAX_DIFFERENCES + 1)
    with services.database.begin() as connection:
        page = books.read_page(connection, after=after, limit=limit)
    differences += [*page.differences, *_objects_that_differ(services, page.objects)]
    return BudgetAudit(
        accounts=accounts,
        entries=page.entries,
        uploads=page.uploads,
        objects=len(page.objects),
        object_bytes=sum(size_bytes for _, size_bytes in page.objects),
        differences=differences[: books.MAX_DIFFERENCES],
        capped=len(differences) > books.MAX_DIFFERENCES,
        next=page.last,
    )


def _objects_that_differ(services: Services, named: list[tuple[str, int]]) -> Iterator[str]:
    for key, size_bytes in named:
        try:
            found = services.store.stat(key).size_bytes
        except ObjectNotFound:
            with services.database.begin() as connection:
                if not unknown_object_keys(connection, [key]):  # else it was erased in the meantime
                    yield f"{key} is missing: {size_bytes} bytes were settled for it"
        except ObjectUnreadable as error:
            yield f"{key} cannot be read, and {size_bytes} bytes were settled for it: {error}"
        else:
            if found != size_bytes:
                yield f"{key} has {found} bytes, and {size_bytes} were settled for it"
