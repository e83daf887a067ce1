"""The commands of `longtail trust`: a root ceremony as files, and what is published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import json_option, print_json, print_result, remark
from triggers.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from fleet_api.cli.trust.draft import Draft
    from fleet_api.client import Client
    from triggers.contracts.trust import RoleKeys, TrustDocument

ROLES = ("root", "bundles", "lists")
DAYS = 365
_PATH = click.Path(path_type=Path, dir_okay=False)
file_argument = click.argument("file", type=_PATH)
role_argument = click.argument("role", type=click.Choice(ROLES))
days_option = click.option(
    "--days", type=click.IntRange(2, 36_500), default=DAYS, show_default=True, help="For how long it is valid."
)


@click.group()
def trust() -> None:
    """Make, sign and publish which keys vehicles trust: root keys above those that sign bundles and lists.

    A change is a file: `draft` begins it, `add-key`, `remove-key` and `threshold` change it, holders of root keys
    `sign` it, and an administrator publishes it. Only `draft`, `show`, `publish` and `rotate-list-key` need the API.
    """


@trust.command(name="new-key", short_help="Make an Ed25519 key.")
@click.argument("key")
def new_key(key: str) -> None:
    """Make an Ed25519 key and print its public key.

    KEY is a new file (PEM, mode 0600), or a pkcs11: URI that names the key in hardware: it is made on the token, and
    cannot be read from it.
    """
    from fleet_api.cli.trust.draft import read_public_key
    from fleet_api.cli.trust.keys import SCHEME, generate
    from fleet_api.deployment.keys import create_key

    if key.startswith(SCHEME):
        print_result(generate(key))
        return
    file = Path(key)
    if file.exists():
        raise Conflict(f"{file} exists already", remedy="choose another name; a key is never overwritten")
    create_key(file)
    print_result(read_public_key(file))


@trust.command(short_help="Begin the first trust document of a deployment.")
@file_argument
@click.option("--root-key", "roots", multiple=True, required=True, help="A root key; may be repeated.")
@click.option("--root-threshold", type=click.IntRange(1, 16), default=1, show_default=True, help="Root keys that sign.")
@click.option("--bundle-key", "bundles", multiple=True, required=True, help="A bundle key; may be repeated.")
@click.option("--list-key", "lists", multiple=True, required=True, help="A list key; may be repeated.")
@days_option
def init(
    *,
    file: Path,
    roots: tuple[str, ...],
    root_threshold: int,
    bundles: tuple[str, ...],
    lists: tuple[str, ...],
    days: int,
) -> None:
    """Begin the first trust document of a deployment in FILE (`longtail up` makes its own).

    Keys are PEM files, public or private, or pkcs11: URIs of keys in hardware.

    If vehicles are enrolled already, the deployment's signing key must be a root
    key of the first document, since they trust no other; take it out with the second.
    """
    from fleet_api.cli.trust.draft import Draft
    from fleet_api.cli.trust.keys import public_key
    from triggers.contracts.trust import RoleKeys

    def role(names: tuple[str, ...], threshold: int = 1) -> RoleKeys:
        return RoleKeys(keys=tuple(public_key(name) for name in names), threshold=threshold)

    first = Draft.first(root=role(roots, root_threshold), bundles=role(bundles), lists=role(lists), days=days)
    _save(first, file)


@trust.command(short_help="Begin the next trust document.")
@file_argument
@days_option
@with_client
def draft(client: Client, file: Path, days: int) -> None:
    """Begin the next trust document in FILE: the published one, to be changed. To renew it, change nothing."""
    _save(_next(client, days), file)


@trust.command(name="add-key", short_help="Add a key to a role of a draft.")
@file_argument
@role_argument
@click.argument("key")
def add_key(file: Path, role: Any, key: str) -> None:
    """Add the public half of KEY (a PEM file or a pkcs11: URI) to a role of the draft in FILE.

    Signatures so far are void then.
    """
    from fleet_api.cli.trust.draft import Draft
    from fleet_api.cli.trust.keys import public_key

    begun = Draft.load(file)
    before = begun.document.role(role)
    keys = (*before.keys, public_key(key))
    _save(begun.with_role(role, _role_keys(role, keys, before.threshold)), file)


@trust.command(name="remove-key", short_help="Take a key out of a role of a draft.")
@file_argument
@role_argument
@click.argument("key_id")
def remove_key(file: Path, role: Any, key_id: str) -> None:
    """Take the key with this id (as `check` shows it) out of a role of the draft in FILE.

    When a list key is taken out, vehicles forget what lists have told them so far: that ends what a thief did with it.
    """
    from fleet_api.cli.trust.draft import Draft, shown_keys

    begun = Draft.load(file)
    before = begun.document.role(role)
    kept = tuple(key for identity, key in shown_keys(before) if identity != key_id.lower())
    if len(kept) == len(before.keys):
        raise InvalidInput(f"{role} has no key {key_id}", remedy="`longtail trust check FILE` lists them")
    _save(begun.with_role(role, _role_keys(role, kept, before.threshold)), file)


@trust.command(short_help="Let a number of keys of a role sign.")
@file_argument
@role_argument
@click.argument("number", type=click.IntRange(1, 16))
def threshold(file: Path, role: Any, number: int) -> None:
    """Let NUMBER keys of a role sign, in the draft in FILE."""
    from fleet_api.cli.trust.draft import Draft

    begun = Draft.load(file)
    _save(begun.with_role(role, _role_keys(role, begun.document.role(role).keys, number)), file)


@trust.command(short_help="Sign a draft with a root key.")
@file_argument
@click.option("--key", required=True, help="A root key (PEM file or pkcs11: URI) of this document or the one before.")
def sign(file: Path, key: str) -> None:
    """Sign the draft in FILE with a root key. Look at it with `longtail trust check` before."""
    from fleet_api.cli.trust.draft import Draft
    from fleet_api.cli.trust.keys import signing_key

    _save(Draft.load(file).signed(signing_key(key)), file)


@trust.command(short_help="Show a draft, and who has signed it.")
@file_argument
@json_option
def check(file: Path, as_json: bool) -> int:
    """Show the draft in FILE and who has signed it; the exit status is 1 while signatures are missing."""
    from fleet_api.cli.trust.draft import Draft

    begun = Draft.load(file)
    missing = begun.missing()
    if as_json:
        print_json({**_json(begun.document), "missing": missing})
    else:
        _show(begun.document, begun)
        print_result("complete: it can be published" if not missing else f"lacks {' and '.join(missing)}")
    return 1 if missing else 0


@trust.command(short_help="Show the published trust document.")
@json_option
@with_client
def show(client: Client, as_json: bool) -> None:
    """Show the published trust document: which keys vehicles trust, and until when."""
    from triggers.contracts.trust import open_own

    envelope = client.trust.newest()
    if envelope is None:
        raise Conflict("no trust document is published", remedy="begin one: longtail trust init FILE")
    document = open_own(envelope)
    if as_json:
        print_json(_json(document))
    else:
        _show(document)


@trust.command(short_help="Publish a signed document.")
@file_argument
@json_option
@with_client
def publish(client: Client, file: Path, as_json: bool) -> int:
    """Publish the signed document in FILE. Needs an administrator. Vehicles get it with their next check-in.

    The exit status is 1 if bundles lack signatures under it: vehicles refuse these until they are signed.
    """
    from fleet_api.cli.trust.draft import Draft

    published = client.trust.publish(Draft.load(file).envelope())
    if as_json:
        print_json(published.model_dump(mode="json"))
    else:
        print_result(f"trust document {published.version} is published; {published.sealed_again} bundles sealed again")
    for each in published.unsigned:
        remark(
            f"{each.campaign} version {each.version} has {each.signatures} of {each.needed} signatures; vehicles "
            f"refuse it until `longtail campaign sign {each.campaign} --version {each.version} --key FILE`"
        )
    return 1 if published.unsigned else 0


@trust.command(name="rotate-list-key", short_help="Make a new list key, and a draft that names it.")
@file_argument
@click.option(
    "--keys",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the list keys on the signer's machine (LONGTAIL_LIST_KEYS, or `keys` in the data directory).",
)
@days_option
@with_client
def rotate_list_key(client: Client, *, file: Path, keys: Path, days: int) -> None:
    """Make a new list key for the signer, and begin a trust document in FILE that names it alone.

    The key takes over when the document is published. Run this where the signer runs, then have FILE signed.
    """
    from fleet_api.cli.trust.draft import read_public_key
    from fleet_api.deployment.keys import create_key, share_with_folder

    begun = _next(client, days)
    path = keys / f"list-{begun.document.version}.pem"
    create_key(path)
    share_with_folder(path)
    _save(begun.with_role("lists", _role_keys("lists", (read_public_key(path),), 1)), file)
    remark(f"{path} is the new list key")


def _next(client: Client, days: int) -> Draft:
    from fleet_api.cli.trust.draft import Draft

    newest = client.trust.newest()
    if newest is None:
        raise Conflict("no trust document is published yet", remedy="begin the first one: longtail trust init FILE")
    return Draft.after(newest, days=days)


def _role_keys(role: str, keys: tuple[str, ...], number: int) -> RoleKeys:
    from pydantic import ValidationError

    from triggers.contracts.trust import RoleKeys

    try:
        return RoleKeys(keys=keys, threshold=number)
    except ValidationError as error:
        raise InvalidInput(f"{role}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _save(begun: Draft, file: Path) -> None:
    begun.save(file)
    missing = begun.missing()
    state = f"lacks {' and '.join(missing)}" if missing else "is complete"
    print_result(f"{file}: version {begun.document.version} {state}")


def _show(document: TrustDocument, begun: Draft | None = None) -> None:
    from fleet_api.cli.trust.draft import shown_keys
    from triggers.times import format_time

    print_result(f"version {document.version}, valid until {format_time(document.expires_at_ns)[:10]}")
    for role in ROLES:
        keys = document.role(role)  # type: ignore[arg-type]
        print_result(f"{role}: {keys.threshold} of {len(keys.keys)} sign")
        for identity, key in shown_keys(keys):
            signed = " (signed)" if begun is not None and begun.signed_by(bytes.fromhex(identity)) else ""
            print_result(f"  {identity}  {key}{signed}")


def _json(document: TrustDocument) -> dict[str, Any]:
    from fleet_api.cli.trust.draft import shown_keys

    roles = {role: document.role(role) for role in ROLES}  # type: ignore[arg-type]
    return {
        "version": document.version,
        "issued_at_ns": document.issued_at_ns,
        "expires_at_ns": document.expires_at_ns,
        **{
            role: {
                "threshold": keys.threshold,
                "keys": [{"id": identity, "key": key} for identity, key in shown_keys(keys)],
            }
            for role, keys in roles.items()
        },
    }
