"""`longtail compile`: the files it writes, and when it writes none."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fleet_api.cli.main import main
from triggers.contracts.bundle import open_bundle
from triggers.contracts.signing import public_keys
from triggers.language.webassembly.host.manifest import read_manifest

CATALOG = "signals:\n  speed: {unit: m/s, rate: 50}\n  brake: {type: bool, rate: 20}\n"
TRIGGERS = "trigger a { when avg(speed over 2 s) > 3 m/s and brake }\ntrigger b { when speed > 3 m/s }\n"
CAMPAIGNS = "campaign one { collect a budget 1 clips }\ncampaign two { collect a, b budget 1 clips }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "signals.yaml").write_text(CATALOG)
    (tmp_path / "x.trigger").write_text(TRIGGERS + CAMPAIGNS)
    return tmp_path


def call(folder: Path, *words: str) -> int:
    return main(["compile", str(folder / "x.trigger"), "--signals", str(folder / "signals.yaml"), *words])


def new_key(path: Path) -> bytes:
    """Write a key; its public half."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key.public_key().public_bytes_raw()


def test_several_campaigns_become_a_folder_of_modules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "new" / "modules"
    assert call(folder, "-o", str(out)) == 0
    assert sorted(path.name for path in out.iterdir()) == ["one.wasm", "two.wasm"]
    names = [[trigger.name for trigger in read_manifest(path.read_bytes()).triggers] for path in sorted(out.iterdir())]
    assert names == [["a"], ["a", "b"]]
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}" for path in sorted(out.iterdir())]


def test_one_campaign_becomes_the_file_that_is_named(folder: Path) -> None:
    assert call(folder, "-o", str(folder / "p.wasm"), "--campaign", "one") == 0
    assert [trigger.name for trigger in read_manifest((folder / "p.wasm").read_bytes()).triggers] == ["a"]
    assert not (folder / "one.bundle").exists()


def test_one_campaign_goes_into_a_folder_that_is_there(folder: Path) -> None:
    (folder / "out").mkdir()
    assert call(folder, "-o", str(folder / "out"), "--campaign", "one") == 0
    assert (folder / "out" / "one.wasm").is_file()


def test_a_bundle_is_what_a_vehicle_opens(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = new_key(folder / "key.pem")
    words = ("-o", str(folder / "out"), "--key", str(folder / "key.pem"), "--version", "7", "--json")
    assert call(folder, *words) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["campaign"] for each in document["campaigns"]] == ["one", "two"]
    for each in document["campaigns"]:
        bundle = open_bundle(Path(each["bundle"]).read_bytes(), public_keys(public))
        assert (bundle.settings.name, bundle.version, bundle.program_digest) == (each["campaign"], 7, each["digest"])
        assert bundle.program == Path(each["module"]).read_bytes()
        assert each["module_bytes"] == len(bundle.program)


def test_two_processes_write_the_same_bytes(folder: Path) -> None:
    new_key(folder / "key.pem")
    for seed in ("1", "2"):
        words = ["compile", "x.trigger", "--signals", "signals.yaml", "-o", f"out{seed}", "--key", "key.pem"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(
            [sys.executable, "-m", "fleet_api.cli", *words], cwd=folder, env=environment, check=True, timeout=60
        )
    first, second = (sorted((folder / f"out{seed}").iterdir()) for seed in ("1", "2"))
    assert len(first) == 4
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_nothing_is_written_where_the_file_has_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.trigger").write_text(TRIGGERS + CAMPAIGNS + "trigger c { when sped > 1 }\n")
    assert call(folder, "-o", str(folder / "out")) == 1
    assert "[LT201]" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_nothing_is_written_where_the_key_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "key.pem").write_text("no key")
    assert call(folder, "-o", str(folder / "out"), "--key", str(folder / "key.pem")) == 1
    assert "key.pem" in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(("text", "words", "said"), [
    (TRIGGERS, (), "only campaigns run on vehicles; the file has none"),
    (TRIGGERS + CAMPAIGNS, ("--campaign", "three"), "there is no campaign 'three'; the file has one, two"),
])  # fmt: skip
def test_a_campaign_that_is_not_there_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: tuple[str, ...], said: str
) -> None:
    (folder / "x.trigger").write_text(text)
    assert call(folder, "-o", str(folder / "out"), *words) == 1
    assert said in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("")
    assert call(folder, "-o", str(folder / "file" / "out")) == 1
    assert "the folder cannot be created" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.trigger", "common.trigger", "signals.yaml", "key.pem", "one.bundle"])
def test_what_is_read_or_written_already_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    new_key(folder / "key.pem")
    (folder / "common.trigger").write_text("param slow = 3 m/s\n")
    (folder / "x.trigger").write_text(
        f'import "common.trigger" as c\n{TRIGGERS}campaign one {{ collect b budget 1 clips }}'
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert call(folder, "-o", str(folder / name), "--key", str(folder / "key.pem")) == 1
    assert f"{name}: this file is " in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_version_without_bundles_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "-o", str(folder / "out"), "--version", "3") == 2
    assert "--version is that of the bundles: give --key" in capsys.readouterr().err
    assert not (folder / "out").exists()
