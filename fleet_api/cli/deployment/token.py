"""`longtail token`: tokens of people and services, issued and revoked directly in the database, and their names."""

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
    help="Data directory of the running `longtail up`; not needed with LONGTAIL_DATABASE_URL.",
)


@click.group()
def token() -> None:
    """Issue and revoke tokens of people and services.

    These commands write to the database directly, so only those who operate the deployment can use them.
    """


@token.command(short_help="Issue a token for a user and print it.")
@click.argument("user")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help="A role of the user; may be repeated.",
)
@data_option
@json_option
def issue(user: str, roles: tuple[str, ...], data: Path | None, as_json: bool) -> None:
    """Issue a token for USER and print it. It cannot be shown again."""
    from storage import tokens

    with _database(data) as database, database.begin() as connection:
        issued = tokens.issue(connection, user, roles)
    if as_json:
        print_json({"user": user, "roles": sorted(set(roles)), "token": issued})
    else:
        print_result(issued)
        remark(
            f"this is the token of {user} ({', '.join(sorted(set(roles)))}); keep it, because it cannot be shown again"
        )


@token.command()
@click.argument("user")
@data_option
def revoke(user: str, data: Path | None) -> None:
    """Revoke every token of USER."""
    from storage import tokens

    with _database(data) as database, database.begin() as connection:
        count = tokens.revoke_user(connection, user)
    print_result(f"revoked {counted(count, 'token')} of {user}")


@token.command()
@click.argument("user")
@click.argument("new_name")
@data_option
def rename(user: str, new_name: str, data: Path | None) -> None:
    """Give USER another name. Tokens, and what the user did, stay with the user."""
    from storage import users

    with _database(data) as database, database.begin() as connection:
        user_id = users.rename(connection, user, new_name)
    print_result(f"user {user_id} is called {new_name} now")


@contextmanager
def _database(data: Path | None) -> Iterator[Database]:
    """The database that the settings name, else the embedded one that runs in the data directory."""
    from fleet_api.client.data_dir import default_data_dir
    from storage.database import Database
    from storage.embedded import running_url
    from storage.settings import Settings

    settings = Settings.load()
    url = settings.database_url
    if not url:
        folder = data or default_data_dir()
        running = running_url(folder / "postgres")
        if running is None:
            raise Misconfigured(
                f"no `longtail up` is running in {folder}, and no database is configured",
                remedy="start it, name its data directory with --data, or set LONGTAIL_DATABASE_URL",
            )
        url = running
    database = Database(url, pool_size=1)
    try:
        yield database
    finally:
        database.close()
