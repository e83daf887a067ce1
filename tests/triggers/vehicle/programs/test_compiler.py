"""A module that breaks the compiler, or takes too much when it runs, costs the vehicle little, and only once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.language.webassembly.handmade import MEMORY, WHOLE, run_that, written
from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, SPEEDING, ManualClock, compiled, offer, rows
from triggers.contracts.bundle import Bundle, make_bundle
from triggers.errors import InvalidInput
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs import compiling
from triggers.vehicle.programs.caps import ProgramCaps
from triggers.vehicle.programs.compiler import Compiler, CompilerLimits, Unfit
from triggers.vehicle.programs.host import Host

MIB = 1024**2
HUGE = written(*WHOLE, *["(func)"] * 150_000, trigger="hard")
"""Valid, small, and many seconds of work for a compiler."""
GREEDY = written(*WHOLE[:3], run_that("(loop (br 0)) local.get 0"), trigger="hard")
BURNING = """(local $i i64)
(loop (local.set $i (i64.add (local.get $i) (i64.const 1))) (br_if 0 (i64.lt_u (local.get $i) (i64.const 20000))))
local.get 0"""
"""About 140,000 instructions for a call, however few rows it gets."""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def braking_with(program: bytes) -> Bundle:
    return make_bundle(compiled(BRAKING).settings, 1, program)


def refusal(journal: Journal, program: bytes, limits: CompilerLimits) -> Unfit:
    with Compiler(journal, limits) as compiler, pytest.raises(Unfit) as caught:
        compiler.module(program)
    return caught.value


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (CompilerLimits(cpu_s=1), "more than 1 s of processor time"),
        (CompilerLimits(memory_bytes=100 * MIB), "ended the compiler"),
    ],
    ids=["time", "memory"],
)
def test_a_module_that_exhausts_the_compiler_is_refused_and_not_tried_again(
    tmp_path: Path, limits: CompilerLimits, reason: str
) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    assert reason in str(refusal(journal, HUGE, limits))
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    error = str(refusal(again, HUGE, limits))
    assert reason in error
    assert "is not compiled again" in error


def test_a_refused_module_is_tried_again_when_the_limits_have_changed(journal: Journal) -> None:
    good = compiled(BRAKING).program
    refusal(journal, good, CompilerLimits(memory_bytes=1))
    with Compiler(journal, CompilerLimits()) as compiler:
        assert compiler.module(good).manifest.triggers[0].name == "hard"


def test_after_a_bad_module_the_next_one_is_compiled(journal: Journal) -> None:
    good = compiled(BRAKING).program
    with Compiler(journal, CompilerLimits(cpu_s=1)) as compiler:
        compiler.module(good)
        with pytest.raises(Unfit):
            compiler.module(HUGE)
        with pytest.raises(InvalidInput, match="not a valid WebAssembly module"):
            compiler.module(written(MEMORY)[:30] + good[30:])
        compiler.module(good)


def test_the_compiling_process_opens_no_file_and_no_socket() -> None:
    attempts = """
import socket, sys
from triggers.vehicle.programs.compiling import confine
confine(1 << 30)
for attempt in (socket.socket, lambda: open("/etc/hostname"), lambda: open("/dev/null", "w")):
    try:
        attempt()
    except OSError:
        continue
    sys.exit("something was opened")
"""
    assert compiling.__name__ == "triggers.vehicle.programs.compiling"
    done = subprocess.run([sys.executable, "-c", attempts], check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_cloud_is_told_and_the_other_campaigns_run(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, braking_with(HUGE), compiled(SPEEDING), revision=1)
    with VehicleAgent(make_config(compile_cpu_s=1), clock=clock) as agent:
        agent.check_in()
        assert agent.status().campaigns == (("speeding", 1),)
        agent.check_in()
    (problem,) = cloud.check_ins[-1].problems
    assert problem.startswith("braking version 1 does not run: program: it took the compiler more than 1 s")


# ---- Running


def test_a_module_that_never_ends_is_suspended_with_the_limit_that_it_passed(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([braking_with(GREEDY)])
    host.run(rows(0, 1))
    (problem,) = host.take_problems()
    assert "all fuel consumed by WebAssembly: 10 rows took more than the 1000000 that its stated cost allows" in problem


def test_a_module_that_states_a_huge_cost_is_held_to_the_vehicles_own_cap(journal: Journal) -> None:
    host = Host("car-1", journal, caps=ProgramCaps(operations_per_s=50_000))
    host.assign([braking_with(GREEDY)])
    host.run(rows(0, 1))
    (problem,) = host.take_problems()
    assert "that this vehicle allows (50000 per second of data)" in problem


@pytest.mark.parametrize(("per_s", "ends"), [(1_000_000, True), (10_000_000, False)])
def test_the_cap_is_per_second_of_data_however_the_rows_are_divided(journal: Journal, per_s: int, ends: bool) -> None:
    host = Host("car-1", journal, caps=ProgramCaps(operations_per_s=per_s))
    host.assign([braking_with(written(*WHOLE[:3], run_that(BURNING), trigger="hard"))])
    for row in rows(0, 5):  # ten calls per second
        host.run([row])
    assert bool(host.take_problems()) is ends


def test_a_program_gets_no_more_memory_than_the_vehicle_gives(journal: Journal) -> None:
    host = Host("car-1", journal, caps=ProgramCaps(memory_bytes=100_000))
    (problem,) = host.assign([compiled(BRAKING)])
    assert "this vehicle allows 100,000" in problem
    assert "max_program_memory_bytes" in problem
