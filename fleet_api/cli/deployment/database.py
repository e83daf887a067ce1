"""`longtail database`: the roles of a deployment's database."""

from __future__ import annotations

import click

from fleet_api.cli.output import print_result


@click.group()
def database() -> None:
    """Show the roles of a deployment's database. `longtail up` makes those of its embedded PostgreSQL itself."""


@database.command(short_help="Print the SQL that makes an owner, and a role for each process.")
def roles() -> None:
    """Print the SQL that makes an owner, and a role for each process that may only do what that process does.

    A superuser of the server runs it once in the deployment's database (`longtail database roles | psql URL`), and sets
    passwords (`\\password longtail_api`). It can be run again. `longtail migrate` gives the roles their rights.
    """
    from storage.roles.script import roles_script

    print_result(roles_script().rstrip())
