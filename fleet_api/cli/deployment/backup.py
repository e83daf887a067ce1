"""`longtail backup`, `restore` and `restored`: a deployment to a folder and back, and a database restored otherwise."""

from __future__ import annotations

from pathlib import Path

import click

from fleet_api.cli.output import counted, json_option, print_json, print_result, remark, shown_bytes

data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory (LONGTAIL_DATA_DIR)."
)
folder_argument = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.command()
@folder_argument
@data_option
@json_option
def backup(folder: Path, data: Path | None, as_json: bool) -> int:
    """Back up a deployment to FOLDER while it runs: its database, objects and signing key.

    The folder is created, or brought up to date: objects that it has are not copied again, and a run that was cut off
    is continued. The log's cells are not in it. The exit status is 1 when objects are damaged or missing; everything
    else is in the backup then. Keep the folder as safe as the signing key in it.
    """
    from fleet_api.deployment.backup import make_backup
    from fleet_api.deployment.doctor import settings_of_deployment

    settings = settings_of_deployment(data)
    made, done = make_backup(settings, folder.absolute(), remark)
    for key in made.damaged:
        remark(f"damaged or missing: {key}; `longtail doctor --full` says more")
    if as_json:
        print_json(
            {
                "id": made.id,
                "folder": str(folder),
                "objects": made.objects,
                "objects_bytes": made.objects_bytes,
                "copied": done.copied,
                "damaged": made.damaged,
            }
        )
    else:
        print_result(
            f"{folder}: backup {made.id}, {counted(made.objects, 'object')}, {shown_bytes(made.objects_bytes)}; "
            f"{done.copied} copied now, {done.kept} kept, {done.removed} removed"
        )
    return 1 if made.damaged else 0


@click.command()
@folder_argument
@data_option
@json_option
def restore(folder: Path, data: Path | None, as_json: bool) -> int:
    """Restore the backup in FOLDER into an empty deployment, which must not run: an empty --data, or an empty database.

    A restore that was cut off is continued by the same command. The exit status is 1 when the backup lacks objects, or
    has damaged ones; everything else is restored then. Afterwards start the deployment, and let `longtail doctor
    --full` compare everything.
    """
    from fleet_api.client.data_dir import default_data_dir
    from fleet_api.deployment.restore import restore_backup
    from storage.settings import Settings

    settings = Settings.load(**({"data_dir": data} if data else {}))
    target = Path(settings.data_dir or default_data_dir()).absolute()
    settings = settings.model_copy(update={"data_dir": target})
    made, done = restore_backup(settings, folder.absolute(), remark)
    lost = sorted({*done.missing, *done.damaged})
    if as_json:
        print_json(
            {
                "id": made.id,
                "backup_at": made.database.taken_at.isoformat(),
                "objects": made.objects,
                "copied": done.copied,
                "lost": lost,
                "damaged": made.damaged,
            }
        )
    else:
        print_result(
            f"backup {made.id} of {made.database.taken_at:%Y-%m-%d %H:%M:%S} UTC is restored: {done.copied} objects "
            f"copied, {done.kept} were there" + (f", {len(lost)} are lost" if lost else "")
        )
        remark(f"start it with `longtail up --data {target}`, then run `longtail doctor --full`")
    for key in made.damaged:
        remark(f"not in the backup, as it was damaged or missing: {key}")
    for key in done.missing:
        remark(f"the backup has lost it: {key}")
    for key in done.damaged:
        remark(f"the backup has it with other bytes than were written, or cannot read it: {key}")
    if lost:
        remark(f"put these files below {folder / 'objects'} again, from another copy, and run the same command again")
    return 1 if made.damaged or lost else 0


@click.command()
@data_option
@json_option
def restored(data: Path | None, as_json: bool) -> int:
    """Say that the database was restored by other means than `longtail restore`, such as a dump or a disk's snapshot.

    The revision of vehicles' lists and the numbers of campaign versions move past all that may have been given before,
    so vehicles accept lists again. The deployment may run. Stop or pause again what was stopped since the backup.
    """
    from fleet_api.deployment.doctor import settings_of_deployment
    from fleet_api.deployment.restore import move_on_after_restore

    moved = move_on_after_restore(settings_of_deployment(data))
    if as_json:
        print_json({"revision": moved.revision, "versions_above": moved.version_floor})
    else:
        print_result(f"lists have revision {moved.revision}, new campaign versions are above {moved.version_floor}")
    return 0
