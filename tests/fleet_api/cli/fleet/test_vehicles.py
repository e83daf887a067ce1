"""`longtail vehicles`: from enrolment to revocation."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.steward import erasure
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from triggers.contracts.signing import load_private_key

FOREIGN_KEY = Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def test_enrolling_prints_the_token_alone_and_reads_the_types_of_attributes(longtail: Longtail) -> None:
    words = ["region=EU", "hardware=3", "towing=true", 'model="3"', "note=a=b", "range=1.5", "odd=[1]"]
    options = [part for word in words for part in ("--attribute", word)]
    shown = longtail("vehicles", "enrol", "car-1", *options, role="operator")
    assert shown.status == 0 and re.fullmatch(r"lt_\S+\n", shown.out)
    assert "cannot be shown again" in shown.err and "public keys" in shown.err
    assert longtail("vehicles", "show", "car-1", "--json").json()["attributes"] == {
        "region": "EU",
        "hardware": 3,
        "towing": True,
        "model": "3",
        "note": "a=b",
        "range": 1.5,
        "odd": "[1]",
    }
    enrolled = longtail("vehicles", "enrol", "car-2", "--json").json()
    of_token = {"token", "token_expires_at", "token_renew_at"}
    of_trust = {"public_keys", "trust_threshold", "trust_version"}
    assert set(enrolled) == {"id", "api_url", "gateway_url"} | of_token | of_trust


@pytest.mark.parametrize("word", ["region", "=EU", ""])
def test_an_attribute_that_is_not_a_pair_is_a_wrong_call(longtail: Longtail, word: str) -> None:
    assert longtail("vehicles", "enrol", "car-1", "--attribute", word).status == 2


def test_an_attribute_is_given_once_and_every_number_of_it_can_be_stored(longtail: Longtail) -> None:
    twice = longtail("vehicles", "enrol", "car-1", "--attribute", "a=1", "--attribute", "a=2", role="operator")
    assert twice.status == 2 and "`a` is given twice" in twice.err
    beyond = longtail("vehicles", "enrol", "car-1", "--attribute", "a=1e400")
    assert beyond.status == 2 and "beyond 1.79e308" in beyond.err
    assert longtail("vehicles", "enrol", "car-1", "--attribute", "a=NaN").status == 0
    assert longtail("vehicles", "show", "car-1", "--json").json()["attributes"] == {"a": "NaN"}


def test_vehicles_are_listed_shown_by_a_beginning_and_revoked_in_full(longtail: Longtail) -> None:
    assert "longtail vehicles enrol" in longtail("vehicles", "list").err
    for name in ("car-1", "car-20"):
        longtail("vehicles", "enrol", name, "--attribute", "region=EU")
    assert longtail("vehicles", "list", "--ids").out == "car-1\ncar-20\n"
    heading, first, _ = longtail("vehicles", "list").out.splitlines()
    assert heading.split()[0] == "vehicle" and first.startswith("car-1") and first.endswith("region=EU")
    assert re.search(r"^vehicle +car-20$", longtail("vehicles", "show", "car-2").out, re.MULTILINE)
    ambiguous = longtail("vehicles", "show", "car-")
    assert ambiguous.status == 1 and "car-1, car-20" in ambiguous.err
    assert longtail("vehicles", "revoke", "car-2").status == 1, "not by a beginning: it cannot be undone"
    assert longtail("vehicles", "revoke", "car-20").out == "car-20 is revoked\n"
    row = list(csv.DictReader(longtail("vehicles", "list", "--csv").out.splitlines()))[1]
    assert row["vehicle"] == "car-20" and row["revoked_at"].endswith("Z")


def test_problems_that_vehicles_report_are_listed(api: Api, longtail: Longtail) -> None:
    assert longtail("vehicles", "problems").err == "no vehicle reports a problem\n"
    api.check_in(api.enrol("car-1"), problems=["no camera", "disk is full"])
    api.check_in(api.enrol("car-2"), "car-2")
    (_, row) = longtail("vehicles", "problems").out.splitlines()
    assert row.startswith("car-1") and row.endswith("no camera; disk is full")
    assert longtail("vehicles", "problems", "--ids").out == "car-1\n"
    assert "disk is full" in longtail("vehicles", "show", "car-1").out


def test_health_says_that_the_api_can_work(longtail: Longtail) -> None:
    assert re.search(r"^status +ok$", longtail("health").out, re.MULTILINE)
    assert longtail("health", "--json").json()["status"] == "ok"


def test_a_vehicle_is_erased_by_its_whole_id_typed_twice_or_with_yes(
    longtail: Longtail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("car-1", "car-20"):
        longtail("vehicles", "enrol", name)
    erase = ("vehicles", "erase", "car-20", "--reason", "the owner asked")
    monkeypatch.setattr("sys.stdin", io.StringIO("car-2\n"))
    assert longtail(*erase).status == 2
    assert longtail("vehicles", "list", "--ids").out == "car-1\ncar-20\n"
    assert longtail("vehicles", "erase", "car-2", "--reason", "r", "--yes").status == 1, "not by a beginning"
    assert longtail("vehicles", "erase", "car-20", "--yes").status == 2, "a reason is needed"
    monkeypatch.setattr("sys.stdin", io.StringIO("car-20\n"))
    assert longtail(*erase).out == "car-20 is shut out for good; its 0 clips of 0 B are being erased\n"
    assert longtail(*erase, "--yes", "--json").json() == {"id": "car-20", "clips": 0, "size_bytes": 0}
    assert longtail("vehicles", "list", "--ids").out == "car-1\n"
    assert "the owner asked" in longtail("vehicles", "show", "car-20").err


def test_an_erased_vehicle_has_a_report_that_can_be_kept_and_verified(
    api: Api, longtail: Longtail, tmp_path: Path
) -> None:
    longtail("vehicles", "enrol", "car-1")
    assert longtail("erase-vehicle", "car-1", "--reason", "the owner asked", "--yes").status == 0
    file = tmp_path / "car-1.report"
    assert "still being erased" in longtail("erasure-report", "get", "car-1", "--out", str(file)).err
    assert not file.exists()
    while erasure.erase_vehicles(api.database):
        pass
    shown = longtail("erasure-report", "get", "car-1", "--out", str(file), role="operator")
    assert re.search(r"^erased.vehicles +1$", shown.out, re.MULTILINE), shown.out
    assert longtail("erasure-report", "get", "car-1", "--json").json()["report"]["reason"] == "the owner asked"
    raw = load_private_key(api.settings.effective_signing_key()).public_key().public_bytes_raw()
    key, other = (base64.b64encode(each).decode() for each in (raw, FOREIGN_KEY))
    verify = ("erasure-report", "verify", str(file), "--public-key")
    assert "the signature is right" in longtail(*verify, key, "--vehicle", "car-1").out
    assert "about another vehicle" in longtail(*verify, key, "--vehicle", "car-2").err
    assert longtail(*verify, other).status == 1
    nowhere = longtail("erasure-report", "verify", str(tmp_path / "none"), "--public-key", key)
    assert nowhere.status == 1 and "none: cannot be read" in nowhere.err and "the file of a report" in nowhere.err
    assert longtail(*verify, "no key").status == 2
    file.write_bytes(file.read_bytes().replace(b'"vehicles":1', b'"vehicles":0'))
    assert longtail(*verify, key).status == 1


def test_quarantine_and_voiding_say_what_they_have_done(api: Api, longtail: Longtail) -> None:
    api.enrol()
    said = [
        longtail("vehicles", *words, "--reason", "noise").out
        for words in (("quarantine", "car-1"), ("release", "car-1"), ("void-counts", "car-1"))
    ]
    assert said == ["car-1 is in quarantine\n", "car-1 is released\n", "the counts of car-1 are in no sum any more\n"]
    assert "noise" in longtail("vehicles", "show", "car-1").out
    assert "again" in longtail("vehicles", "void-counts", "car-1", "--reason", "right", "--undo").out
