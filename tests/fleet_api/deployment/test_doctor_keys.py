"""What the doctor says of list keys: one that is lost before one that others may open."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_api.deployment.doctor.keys import check_list_key
from fleet_api.deployment.trust import ensure_trust
from fleet_api.signing.list_keys import list_key_files
from storage.database import Database
from storage.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Of a deployment with a trust document and its keys."""
    settings = Settings(data_dir=tmp_path)
    ensure_trust(settings, database, lambda _: None)
    return settings


@pytest.mark.parametrize("mode", [0o601, 0o602, 0o604])
def test_a_list_key_is_named_when_others_may_do_anything_with_it(
    settings: Settings, database: Database, mode: int
) -> None:
    (path,) = list_key_files(settings)
    assert check_list_key(settings, database).status == "ok"
    path.chmod(mode)
    finding = check_list_key(settings, database)
    assert (finding.status, finding.message) == ("warn", f"{path} is open to others")
    assert finding.remedy == f"chmod o= {path}"


def test_a_lost_list_key_is_told_although_another_file_is_open_to_others(
    settings: Settings, database: Database
) -> None:
    (path,) = list_key_files(settings)
    other = path.with_name("list-other.pem")
    other.write_bytes(settings.effective_signing_key().read_bytes())
    other.chmod(0o604)
    path.unlink()
    finding = check_list_key(settings, database)
    assert finding.status == "warn"
    assert "that vehicles trust for lists is on this machine" in finding.message
    assert "longtail trust rotate-list-key" in finding.remedy
