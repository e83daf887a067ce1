"""Who may connect to the server, and as whom: by its socket's folder alone, or, where root starts it, by user and role.

Root gives each process of a deployment a user of its own. Then the folder lets in their group, the owner of the schema
and the superuser are only for root, whom the kernel names, and each process has a password for its role.
"""

from __future__ import annotations

import os
import pwd
import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from storage.embedded.cluster import SUPERUSER
from storage.roles.rights import PROCESS_ROLES, DatabaseRole
from storage.roles.script import roles_script
from triggers.atomic_file import replace_text

_RULES = "access.conf"
_NAMES = "names.conf"
_PASSWORD_BYTES = 24
_ARE_MADE = """
    SELECT count(*) = %(roles)s AND bool_or(r.rolname = %(owner)s AND r.oid = d.datdba)
    FROM pg_roles r, pg_database d WHERE r.rolname = ANY (%(names)s) AND d.datname = current_database()
"""


class Access:
    """The roles of one server. `group`: whose members may connect as the processes' roles; None: nobody else does."""

    def __init__(self, group: int | None) -> None:
        self.group = group
        self._passwords = {} if group is None else {role: _new_password() for role in PROCESS_ROLES.values()}

    def settings(self, data_dir: Path) -> dict[str, str]:
        """PostgreSQL's settings for this; writes the files that they name."""
        if self.group is None:
            return {}
        root = pwd.getpwuid(0).pw_name
        trusted = (SUPERUSER, DatabaseRole.OWNER)
        names = [f'longtail "{root}" {role}' for role in trusted]
        rules = [
            f"local all {','.join(trusted)} peer map=longtail",
            f"local all {','.join(PROCESS_ROLES.values())} scram-sha-256",
            "local all all reject",
        ]
        for name, lines in ((_RULES, rules), (_NAMES, names)):
            replace_text(data_dir / name, "\n".join(lines) + "\n")
            (data_dir / name).chmod(0o644)  # the server's user reads them, and cannot write them
        return {
            "hba_file": str(data_dir / _RULES),
            "ident_file": str(data_dir / _NAMES),
            "unix_socket_permissions": "0777",  # the folder decides who gets there
        }

    def open_folder(self, socket_dir: Path) -> None:
        """Let the group pass through the socket's folder."""
        if self.group is not None:
            os.chown(socket_dir, -1, self.group)
            socket_dir.chmod(0o710)

    def make_roles(self, connection: psycopg.Connection) -> None:
        """Make the roles in a deployment's database unless they are there, and set their passwords (as superuser)."""
        names = [str(role) for role in DatabaseRole]
        wanted = {"roles": len(names), "owner": DatabaseRole.OWNER, "names": names}
        if connection.execute(_ARE_MADE, wanted).fetchone() != (True,):
            connection.execute(roles_script())
        if not self._passwords:
            return
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")  # the next start sets others anyway
            for role, password in self._passwords.items():
                digest = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(digest.decode()))
                )

    def password(self, role: str) -> str:
        """The password of a role; empty when it needs none."""
        return self._passwords.get(DatabaseRole(role), "") if role != SUPERUSER else ""


def _new_password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES)
