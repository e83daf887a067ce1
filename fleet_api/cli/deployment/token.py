"""`longtail token`: tokens of people and services, listed, issued, rotated and revoked in the database; user names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    json_option,
    list_options,
    plain_text,
    print_json,
    print_list,
    print_result,
    remark,
)
from triggers.contracts.users import Role
from triggers.errors import Misconfigured

if TYPE_CHECKING:
    from storage.database import Database
    from storage.settings import Settings
    from triggers.contracts.api.tokens import TokenView

ROLES = tuple(role.value for role in Role)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LONGTAIL_DATA_DIR",
    help="Data directory of the running `longtail up`; not needed with LONGTAIL_DATABASE_URL.",
)
days_option = click.option(
    "--days", type=WholeNumber(1), help="How long it is valid.  [default: LONGTAIL_TOKEN_TTL_S, 90 days]"
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the token to this new file, which only you can read, and do not print it.",
)
COLUMNS: tuple[Column[TokenView], ...] = (
    Column("id", lambda token: token.id),
    Column("user", lambda token: token.user_name),
    Column("name", lambda token: token.name),
    Column("roles", lambda token: token.roles),
    Column("expires_at", lambda token: token.expires_at),
    Column("last_used_at", lambda token: token.last_used_at),
    Column("revoked_at", lambda token: token.revoked_at),
)


@click.group()
def token() -> None:
    """List, issue, rotate and revoke tokens of people and services.

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
@click.option("--name", default="", help="What the token is for, such as `notebook`; lists show it.")
@days_option
@out_option
@data_option
@json_option
def issue(
    user: str,
    *,
    roles: tuple[str, ...],
    name: str,
    days: int | None,
    out: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Issue a token for USER and print it. It cannot be shown again. A user may have several."""
    from storage import tokens

    with _database(data) as (settings, database), database.begin() as connection:
        ttl_s = tokens.lifetime_s(settings, days)
        issued = tokens.issue(connection, user, roles, name=name, ttl_s=ttl_s)
        _keep(issued, out)
    _show(issued, user, sorted(set(roles)), out=out, as_json=as_json, ttl_s=ttl_s)


@token.command(name="list", short_help="List tokens: whose, what for, until when.")
@click.argument("user", required=False)
@click.option("--all", "ended", is_flag=True, help="Also those that were revoked or have expired.")
@data_option
@list_options
def list_(user: str | None, ended: bool, data: Path | None, form: Form) -> None:
    """List the tokens of USER, or of all users, with when each expires and was last used. No token is shown."""
    from storage import tokens
    from triggers.contracts.api.tokens import TokenView

    with _database(data) as (_, database), database.begin() as connection:
        known = tokens.list_tokens(connection, user=user, ended=ended)
    print_list(form, [TokenView.model_validate(each) for each in known], COLUMNS, none="no such tokens")


@token.command(short_help="Issue the successor of a token and print it.")
@click.argument("token_id", metavar="ID", type=WholeNumber(1))
@days_option
@out_option
@data_option
@json_option
def rotate(token_id: int, *, days: int | None, out: Path | None, data: Path | None, as_json: bool) -> None:
    """Issue the successor of the token with this ID (see `longtail token list`), with the same user, name and roles.

    The former token stays valid for LONGTAIL_TOKEN_OVERLAP_S at most, so that programs can change over.
    """
    from storage import tokens

    with _database(data) as (settings, database), database.begin() as connection:
        ttl_s = tokens.lifetime_s(settings, days)
        former, issued = tokens.rotate(connection, token_id, ttl_s=ttl_s, overlap_s=settings.token_overlap_s)
        _keep(issued, out)
    _show(issued, former.user_name, former.roles, out=out, as_json=as_json, ttl_s=ttl_s)
    remark(f"the former token ends at {plain_text(former.expires_at)}; revoke it sooner once nothing uses it")


@token.command(short_help="Revoke the tokens of a user, or one token.")
@click.argument("user", required=False)
@click.option("--id", "token_id", type=WholeNumber(1), help="Revoke only the token with this ID.")
@data_option
def revoke(user: str | None, token_id: int | None, data: Path | None) -> None:
    """Revoke every token of USER, or with --id one token."""
    from storage import tokens

    if (user is None) == (token_id is None):
        raise click.UsageError("name a user, or a token with --id")
    with _database(data) as (_, database), database.begin() as connection:
        if token_id is not None:
            tokens.revoke_id(connection, token_id)
            print_result(f"token {token_id} is revoked")
            return
        count = tokens.revoke_user(connection, str(user))
    print_result(f"revoked {counted(count, 'token')} of {user}")


@token.command()
@click.argument("user")
@click.argument("new_name")
@data_option
def rename(user: str, new_name: str, data: Path | None) -> None:
    """Give USER another name. Tokens, and what the user did, stay with the user."""
    from storage import users

    with _database(data) as (_, database), database.begin() as connection:
        user_id = users.rename(connection, user, new_name)
    print_result(f"user {user_id} is called {new_name} now")


@token.command(short_help="Let a user log in as a person of the OpenID provider.")
@click.argument("user")
@click.argument("subject")
@click.option("--issuer", help="The provider.  [default: LONGTAIL_OIDC_ISSUER]")
@data_option
def link(user: str, subject: str, issuer: str | None, data: Path | None) -> None:
    """Let USER log in as the person whose SUBJECT (`sub`) the OpenID provider names in its ID tokens.

    The audit log has the subjects of people whose log-in was refused. Who logs in without a link becomes a new user.
    """
    from storage.logins import identities

    with _database(data) as (settings, database), database.begin() as connection:
        named = issuer or settings.oidc_issuer
        if not named:
            raise Misconfigured("no OpenID provider is set", remedy="set LONGTAIL_OIDC_ISSUER, or give --issuer")
        user_id = identities.link(connection, user, identities.Identity(named, subject))
    print_result(f"user {user_id} is who {named} calls {plain_text(subject)}")


def _keep(issued: str, out: Path | None) -> None:
    """Write the token to its file within the transaction: one that cannot be kept is not issued."""
    if out is not None:
        from fleet_api.cli.token_file import write_token_file

        write_token_file(out, issued)


def _show(issued: str, user: str, roles: Sequence[str], *, out: Path | None, as_json: bool, ttl_s: int) -> None:
    if as_json:
        shown = {"file": str(out)} if out else {"token": issued}
        print_json({"user": user, "roles": list(roles), "valid_s": ttl_s, **shown})
    elif out is None:
        print_result(issued)
        remark(f"this is the token of {user} ({', '.join(roles)}); keep it, because it cannot be shown again")
    else:
        remark(f"the token of {user} ({', '.join(roles)}) is in {out}; give it to commands with --token-file")


@contextmanager
def _database(data: Path | None) -> Iterator[tuple[Settings, Database]]:
    """The settings and their database, else the embedded one that runs in the data directory."""
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
        yield settings, database
    finally:
        database.close()
