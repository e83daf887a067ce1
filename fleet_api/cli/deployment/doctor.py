"""`longtail doctor`: what is configured, reachable, migrated and consistent."""

from __future__ import annotations

from pathlib import Path

import click

from fleet_api.cli.output import json_option, print_json, print_result, remark

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory (LONGTAIL_DATA_DIR).")
@click.option("--full", is_flag=True, help="Read every object, and compare all with catalog and ledger.")
@json_option
def doctor(data: Path | None, full: bool, as_json: bool) -> int:
    """Report what is configured, reachable, migrated and consistent; the exit status is 1 if a check failed.

    Without --full a sample of the objects is compared with the catalog, by size. With --full every object is read once,
    which takes as long as reading the store does; the deployment may run meanwhile.
    """
    from fleet_api.deployment.doctor import described_settings, examine, settings_of_deployment

    settings = settings_of_deployment(data)
    findings = []
    for finding in examine(settings, full=full, progress=remark):
        findings.append(finding)
        if not as_json:
            remedy = f"; {finding.remedy}" if finding.remedy else ""
            print_result(f"{_MARKS[finding.status]}  {finding.check}: {finding.message}{remedy}")
    if as_json:
        print_json({"settings": described_settings(settings), "findings": [finding.document() for finding in findings]})
    return 1 if any(finding.status == "fail" for finding in findings) else 0
