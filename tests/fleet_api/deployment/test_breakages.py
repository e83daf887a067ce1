"""Everything that can be broken in a running deployment is found by the doctor; repaired, all is well."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.doctor import examine
from fleet_api.deployment.doctor.findings import Finding
from storage.diagnosis.schema import head_revision
from storage.embedded.cluster import SUPERUSER
from storage.objects import open_store
from storage.settings import MIB, Settings
from tests.support.servers.postgres import libpq_url
from tests.support.small_disk import fill, small_disk
from tests.support.waiting import LEAST_S, Deadline, wait_for
from tests.support.whole_system import admin, deployment, enrol, record_events, run_campaign
from triggers.vehicle.agent import VehicleAgent

pytestmark = pytest.mark.integration
CLIPS = 3


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment with a campaign, a vehicle, and its clips, all extracted."""
    with deployment(fleet_total_bytes=10**12, spool_bytes=16 * MIB) as running:
        client = admin(running)
        run_campaign(client)
        with VehicleAgent(enrol(client, "car-1", tmp_path_factory.mktemp("vehicle"))) as agent:
            agent.check_in()
            record_events(agent, CLIPS)
            agent.upload_pending()
        wait_for(lambda: _ready(client) == CLIPS, within_s=120, what="the clips")
        yield running


def _ready(client: Any) -> int:
    return sum(clip.state == "ready" for clip in client.clips.search())


def found(settings: Settings, *, full: bool = False) -> dict[str, Finding]:
    findings = list(examine(settings, full=full))
    assert len({finding.check for finding in findings}) == len(findings), "a check is made twice"
    assert all(finding.remedy for finding in findings if finding.status != "ok")
    return {finding.check: finding for finding in findings}


def found_well(
    settings: Settings, is_well: Callable[[dict[str, Finding]], bool], *, full: bool = False
) -> dict[str, Finding]:
    """What is found once it is well, or at last: processes that were busy or stopped may need a moment for it."""
    deadline = Deadline(LEAST_S)
    while not is_well(findings := found(settings, full=full)) and not deadline.passed():
        continue
    return findings


Break = Callable[[Deployment], AbstractContextManager[Settings]]


def sql(running: Deployment, statement: str) -> None:
    """As the superuser: whoever breaks a database asks for no right."""
    url = make_url(running.settings.database_url).set(username=SUPERUSER).render_as_string()
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(statement.encode())


def row(running: Deployment, question: str) -> Any:
    with psycopg.connect(libpq_url(running.settings.database_url), autocommit=True) as connection:
        found = connection.execute(question.encode()).fetchone()
        assert found is not None
        return found[0]


def changed(change: str, back: str) -> Break:
    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        sql(running, change)
        try:
            yield running.settings
        finally:
            sql(running, back.replace("{head}", head_revision()))

    return broken


def setting(**values: object) -> Break:
    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        yield running.settings.model_copy(update=values)

    return broken


def object_file(running: Deployment, order: str) -> Path:
    key = row(running, f"SELECT object_key FROM clips ORDER BY stored_at {order} LIMIT 1")
    assert running.settings.data_dir is not None
    name = key.rpartition("/")[2]
    (path,) = (running.settings.data_dir / "objects").rglob(name)
    return path


def object_with(order: str, damage: Callable[[Path], object]) -> Break:
    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        path = object_file(running, order)
        content = path.read_bytes()
        damage(path)
        try:
            yield running.settings
        finally:
            path.write_bytes(content)

    return broken


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@contextmanager
def another_key(running: Deployment) -> Iterator[Settings]:
    from fleet_api.deployment.keys import ensure_signing_key

    other = running.data_dir / "other.pem"
    settings = running.settings.model_copy(update={"signing_key": other})
    ensure_signing_key(settings)
    yield settings
    other.unlink()


@contextmanager
def key_gone(running: Deployment) -> Iterator[Settings]:
    path = running.settings.effective_signing_key()
    path.rename(path.with_suffix(".away"))
    try:
        yield running.settings
    finally:
        path.with_suffix(".away").rename(path)


def stopped(process: str) -> Break:
    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        running.kill(process, signal.SIGSTOP)
        try:
            yield running.settings
        finally:
            running.kill(process, signal.SIGCONT)

    return broken


def full_disk(below: str) -> Break:
    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        with small_disk(running.data_dir / below, mib=8) as folder:
            fill(folder)
            yield running.settings

    return broken


def blocked(below: str) -> Break:
    """A file where a folder of the data directory should be."""

    @contextmanager
    def broken(running: Deployment) -> Iterator[Settings]:
        folder = running.data_dir / below
        folder.rename(folder.with_suffix(".away"))
        folder.write_text("in the way")
        try:
            yield running.settings
        finally:
            folder.unlink()
            folder.with_suffix(".away").rename(folder)

    return broken


@contextmanager
def full_objects(running: Deployment) -> Iterator[Settings]:
    with small_disk(running.data_dir / "small", mib=8) as folder:
        settings = running.settings.model_copy(update={"objects_url": (folder / "objects").as_uri()})
        open_store(settings)
        fill(folder)
        yield settings


@contextmanager
def objects_closed(running: Deployment) -> Iterator[Settings]:
    folder = running.data_dir / "not-a-folder"
    folder.write_text("in the way")
    yield running.settings.model_copy(update={"objects_url": folder.as_uri()})
    folder.unlink()


@dataclass(frozen=True)
class Case:
    broken: Break
    check: str
    says: str
    full: bool = False
    also: frozenset[str] = frozenset()
    """What else fails for the same cause."""


NO_SERVER = "postgresql+psycopg://longtail@127.0.0.1:1/longtail"
LEDGER = "UPDATE ledger_accounts SET settled = settled {} 7 WHERE kind = 'fleet'"
ENTRY = "UPDATE ledger_entries SET settled_delta = settled_delta {} 7 WHERE id = (SELECT min(id) FROM ledger_entries"
RECEIVED = "UPDATE upload_hours SET received_bytes = received_bytes {} 1"
AUDIT = "SET session_replication_role = replica; UPDATE audit SET action = {} WHERE sequence = 1"
CASES = {
    "database away": Case(setting(database_url=NO_SERVER), "database", "127.0.0.1:1"),
    "no database": Case(setting(database_url=""), "database", "no database"),
    "schema behind": Case(
        changed("UPDATE alembic_version SET version_num = '0001'", "UPDATE alembic_version SET version_num = '{head}'"),
        "schema",
        "0001",
        also=frozenset({"api", "gateway"}),
    ),
    "schema ahead": Case(
        changed("UPDATE alembic_version SET version_num = '9999'", "UPDATE alembic_version SET version_num = '{head}'"),
        "schema",
        "which is older",
        also=frozenset({"api", "gateway"}),
    ),
    "retention": Case(setting(log_retention_s=3600), "log retention", "3600 s"),
    "object missing": Case(object_with("DESC", Path.unlink), "consistency", "is missing"),
    "older object missing": Case(object_with("ASC", Path.unlink), "consistency", "is missing"),
    "object cut": Case(
        object_with("DESC", lambda path: path.write_bytes(path.read_bytes()[:-10])), "consistency", "its row says"
    ),
    "object altered": Case(object_with("ASC", flip), "full: clips", "is not the one of its manifest", full=True),
    "objects full": Case(full_objects, "objects", "is full", also=frozenset({"consistency"})),
    "objects unusable": Case(objects_closed, "objects", "cannot be used", also=frozenset({"consistency"})),
    "key gone": Case(key_gone, "signing key", "does not exist"),
    "another key": Case(another_key, "signatures", "signed with another key"),
    "account altered": Case(changed(LEDGER.format("+"), LEDGER.format("-")), "ledger", "its entries sum to"),
    "entry altered": Case(
        changed(ENTRY.format("+") + " WHERE kind = 'settle')", ENTRY.format("-") + " WHERE kind = 'settle')"),
        "full: ledger",
        "is not what follows",
        full=True,
        also=frozenset({"ledger", "full: books"}),
    ),
    "bytes on the wire altered": Case(
        changed(RECEIVED.format("+"), RECEIVED.format("-")),
        "full: books",
        f"{CLIPS} wrong of {CLIPS}: ",
        full=True,
        also=frozenset({"full: usage"}),
    ),
    "audit entry altered": Case(
        changed(AUDIT.format("action || '!'"), AUDIT.format("rtrim(action, '!')")),
        "full: audit log",
        "entry 1 was changed",
        full=True,
    ),
    "clip row altered": Case(
        changed("UPDATE clips SET size_bytes = size_bytes + 1", "UPDATE clips SET size_bytes = size_bytes - 1"),
        "consistency",
        "its row says",
    ),
    "right taken": Case(
        changed(
            "REVOKE INSERT ON dead_letters FROM longtail_gateway", "GRANT INSERT ON dead_letters TO longtail_gateway"
        ),
        "rights",
        'longtail_gateway lacks INSERT on TABLE "dead_letters"',
    ),
    "function taken": Case(
        changed(
            "REVOKE EXECUTE ON FUNCTION reserve_upload FROM longtail_gateway",
            "GRANT EXECUTE ON FUNCTION reserve_upload TO longtail_gateway",
        ),
        "rights",
        "longtail_gateway lacks EXECUTE on FUNCTION reserve_upload(text, jsonb)",
    ),
    "guard switched off": Case(
        changed(
            "ALTER TABLE audit DISABLE TRIGGER audit_is_append_only",
            "ALTER TABLE audit ENABLE TRIGGER audit_is_append_only",
        ),
        "guards",
        "the trigger audit_is_append_only of the table audit is switched off",
    ),
    "guard gone": Case(
        changed(
            "ALTER TRIGGER price_books_are_append_only ON price_books RENAME TO gone",
            "ALTER TRIGGER gone ON price_books RENAME TO price_books_are_append_only",
        ),
        "guards",
        "price_books",
    ),
    "extraction blocked": Case(blocked("extraction"), "extraction folder", "Not a directory"),
    "fleet limit": Case(setting(fleet_total_bytes=1), "fleet limit", "below what is used"),
    "fleet limit of the month": Case(setting(fleet_month_bytes=1), "fleet month limit", "below what is used"),
    "spool full": Case(full_disk("spool"), "spool", "spool"),
    "logs full": Case(full_disk("logs"), "logs", "logs"),
    "gateway down": Case(setting(gateway_url="http://127.0.0.1:1"), "gateway", "does not answer"),
    "API down": Case(setting(api_url="http://127.0.0.1:1"), "api", "does not answer"),
    "gateway stopped": Case(stopped("gateway"), "gateway", "does not answer"),
    "ingest stopped": Case(stopped("ingest"), "ingest", "does not answer"),
    "log unknown": Case(setting(log_url="carrier-pigeon:"), "log", "no log for"),
}


@pytest.fixture(scope="module")
def well(running: Deployment) -> dict[str, str]:
    """The checks of a deployment in which nothing is broken: all are ok, but that the tests approve for themselves, and
    that root's processes stay root where its Python is closed to others."""

    def others(findings: dict[str, Finding]) -> dict[str, Finding]:
        return {name: each for name, each in findings.items() if each.status != "ok" and name != "users: root"}

    findings = found_well(running.settings, lambda each: others(each).keys() == {"approval"}, full=True)
    assert others(findings) == {"approval": findings["approval"]}
    return statuses(findings)


def statuses(findings: dict[str, Finding]) -> dict[str, str]:
    return {check: each.status.value for check, each in findings.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_breakage_is_found_named_and_gone_once_repaired(name: str, running: Deployment, well: dict[str, str]) -> None:
    case = CASES[name]
    with case.broken(running) as settings:
        findings = found(settings, full=case.full)
    finding = findings[case.check]
    assert finding.status == "fail" and case.says in finding.message, (finding, findings)
    assert {"objects", "api", "gateway", "log retention"} <= set(findings), "the examination ended early"
    failed = {check for check, each in findings.items() if each.status == "fail"}
    assert failed == {case.check, *case.also}
    before = {check: status for check, status in well.items() if not check.startswith("full")}
    assert statuses(found_well(running.settings, lambda after: statuses(after) == before)) == before
