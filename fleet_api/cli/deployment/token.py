"""`longtail token`: tokens of people and services, issued by those who hold the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.output import counted, json_option, print_json, print_result, remark
from triggers.contracts.users import Role
from triggers.errors import Misconfigured

if TYPE_CHECKING:
    from storage.database import Database

ROLES = tuple(role.value for role in Role)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LONGTAIL_DATA_DIR",
    help="Data directory of the `longtail up` that runs; not needed with LONGTAIL_DATABASE_URL.",
)


@click.group()
def token() -> None:
    """Issue and revoke tokens of people and services.

    These commands work on the database itself, so only those who run the deployment can use them.
    """


@token.command(short_help="Issue a token for a user and print it.")
@click.argument("user")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help="May be repeated.",
)
@data_option
@json_option
def issue(user: str, roles: tuple[str, ...], data: Path | None, as_json: bool) -> None:
    """Issue a token for USER and print it; it is shown this once."""
    from storage import tokens

    with _database(data) as database, database.begin() as connection:
        made = tokens.issue(connection, user, roles)
    if as_json:
        print_json({"user": user, "roles": sorted(set(roles)), "token": made})
    else:
        print_result(made)
        remark(f"a token for {user} ({', '.join(sorted(set(roles)))}); keep it, it cannot be shown again")


@token.command()
@click.argument("user")
@data_option
def revoke(user: str, data: Path | None) -> None:
    """Revoke every token of USER."""
    from storage import tokens

    with _database(data) as database, database.begin() as connection:
        count = tokens.revoke_user(connection, user)
    print_result(f"revoked {counted(count, 'token')} of {user}")


@contextmanager
def _database(data: Path | None) -> Iterator[Database]:
    """The database of the settings, else the embedded one that runs in the data directory."""
    from fleet_api.client.data_dir import default_data_dir
    from storage.database import Database
    from storage.embedded import running_url
    from storage.settings import Settings

    settings = Settings.load()
    url = settings.database_url
    if not url:
        folder = data or default_data_dir()
        found = running_url(folder / "postgres")
        if found is None:
            raise Misconfigured(
                f"no `longtail up` runs in {folder}, and no database is set",
                remedy="start it, name its --data, or set LONGTAIL_DATABASE_URL",
            )
        url = found
    database = Database(url, pool_size=1)
    try:
        yield database
    finally:
        database.close()
