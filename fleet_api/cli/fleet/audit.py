"""`longtail audit`: who changed what, and whether the log of it holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.usage.moments import FORMS, moment, ns_of
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    form_options,
    plain_text,
    print_json_line,
    print_list,
    print_result,
    remark,
)

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.audit import AuditEntryView

_SHOWN_OBJECT = 24
_SHOWN_VALUES = 20
"""Values of a state in a table; of more, as of a process's settings, the number."""


def _shown(state: dict[str, object] | None) -> str:
    """A state in a table: without what only `--json` has room for."""
    known = {name: value for name, value in (state or {}).items() if name != "settings"}
    if len(known) > _SHOWN_VALUES:
        return counted(len(known), "value")
    return ", ".join(
        f"{name}={plain_text(value) if isinstance(value, str) else json.dumps(value)}" for name, value in known.items()
    )


COLUMNS: tuple[Column[AuditEntryView], ...] = (
    Column("sequence", lambda entry: entry.sequence),
    Column("at", lambda entry: entry.at),
    Column("user_name", lambda entry: entry.user_name),
    Column("address", lambda entry: entry.address),
    Column("action", lambda entry: entry.action),
    Column("object", lambda entry: entry.object, shown=lambda text: text if len(text) != 64 else text[:_SHOWN_OBJECT]),
    Column("before", lambda entry: entry.before, shown=_shown),
    Column("after", lambda entry: entry.after, shown=_shown),
    Column("reason", lambda entry: entry.reason),
    Column("request_id", lambda entry: entry.request_id),
)


@click.command(short_help="Show who changed what.")
@click.option("--since", help=f"Only from this time on: {FORMS}.")
@click.option("--who", help="Only what this user did: a name, or an id.")
@click.option("--object", "about", help="Only what was done to this: a campaign, vehicle, clip, user or other id.")
@click.option("--jsonl", is_flag=True, help="Print one JSON document per line, as an export.")
@click.option("--verify", is_flag=True, help="Walk the whole chain of hashes, and name the first broken entry.")
@click.option("--head", help="With --verify: a hash that was noted earlier and must still be in the chain.")
@form_options("json", "csv")
@with_client
def audit(
    client: Client,
    *,
    since: str | None,
    who: str | None,
    about: str | None,
    jsonl: bool,
    verify: bool,
    head: str | None,
    form: Form,
) -> None:
    """Show who changed what, oldest first: campaigns, vehicles, tokens, label jobs, clips. Needs the role operator.

    Entries are appended in the transaction of what they record, and never changed. Each has the hash of the one before.
    """
    if head is not None and not verify:
        raise click.UsageError("--head needs --verify")
    if verify:
        if since or who or about or jsonl or form != "table":
            raise click.UsageError("--verify reads the whole log, and cannot be combined with other options")
        chain = client.audit.verify(head=head)
        print_result(
            f"{counted(chain.entries, 'entry', 'entries')}, all as they were written; the last is {chain.head}"
        )
        remark("note this hash elsewhere: `longtail audit --verify --head HASH` shows that nothing was cut off since")
        return
    if jsonl and form != "table":
        raise click.UsageError(f"--jsonl and --{form} cannot be combined")
    since_ns = None if since is None else ns_of(moment(since, now=datetime.now(UTC)))
    entries = client.audit.list(since_ns=since_ns, who=who, about=about)
    if jsonl:
        for entry in entries:
            print_json_line(entry)
        return
    print_list(form, entries, COLUMNS, none="no such entries")
