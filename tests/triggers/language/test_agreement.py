"""The reference interpreter and the compiled module agree bit for bit on random programs and recordings."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.triggers.language.randomised.agreement import Case, Disagreement, check
from tests.triggers.language.randomised.recordings import Recording
from tests.triggers.language.randomised.shrinking import pasted, shrunk
from triggers.language.reference.values import STRICT, Value

PROGRAMS = int(os.environ.get("LONGTAIL_TEST_PROGRAMS", "400"))
"""How many random programs; `make test-long` takes 20,000."""
FIRST_SEED = int(os.environ.get("LONGTAIL_TEST_FIRST_SEED", "0"))
SHARDS = 20


def disagrees(case: Case) -> bool:
    try:
        check(case, Random(0), every=True)
    except Disagreement:
        return True
    return False


def demand_agreement(case: Case, random: Random, name: str) -> None:
    """Fail with a small case, ready to be pasted into a test, where the two disagree."""
    try:
        check(case, random)
    except Disagreement as error:
        small = shrunk(case, disagrees) if disagrees(case) else case
        pytest.fail(f"{name}: {error}\n\n{pasted(small)}")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_interpreter_and_module_agree_on_random_programs(shard: int) -> None:
    for seed in range(FIRST_SEED + shard, FIRST_SEED + PROGRAMS, SHARDS):
        random = Random(seed)
        demand_agreement(Case.random(random), random, f"seed {seed}")


@pytest.mark.parametrize("seed", range(4))
def test_they_agree_on_long_dense_recordings(seed: int) -> None:
    random = Random(-1 - seed)
    demand_agreement(Case.random(random, rows=6000, triggers=3, depth=4), random, f"long recording {seed}")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False))
def test_they_agree_on_programs_that_hypothesis_generates(random: Random) -> None:
    case = Case.random(random, rows=20, triggers=2, depth=3)
    try:
        check(case, Random(0))
    except Disagreement as error:
        pytest.fail(f"{error}\n\n{pasted(case)}")


def test_every_way_of_running_agrees() -> None:
    for seed in range(8):
        random = Random(10**6 + seed)
        check(Case.random(random, rows=120), random, every=True)


CATALOG = "signals: {x: {rate: 10}, p: {type: bool, rate: 10}}\n"


@pytest.mark.parametrize(
    ("operation", "condition", "wrong"),
    [
        ("min", "min(x, - x) > 3", min),  # -0 and +0 are equal to Python
        ("div", "x / x > 3", lambda a, b: a / b if b else 0.0),
        ("le", "x <= 0", lambda a, b: a < b),
    ],
)
def test_the_check_finds_a_wrong_operator(
    monkeypatch: pytest.MonkeyPatch, operation: str, condition: str, wrong: Callable[[float, float], Value]
) -> None:
    samples = {"x": np.array([1.0, 0.0, -0.0, 2.0])}
    case = Case(CATALOG, f"trigger t {{ when {condition} }}\n", Recording(np.arange(4) * 10**7, samples))
    check(case, Random(0), every=True)
    monkeypatch.setitem(STRICT, operation, wrong)
    with pytest.raises(Disagreement):
        check(case, Random(0), every=True)


def test_a_failing_case_is_made_small() -> None:
    source = "trigger a { when x > 1 and p }\ntrigger b { when not (p) or once(x < 0 over 1 s) }\n"
    samples = {"x": np.linspace(-1, 2, 50), "p": np.ones(50)}
    case = Case(CATALOG, source, Recording(np.arange(50) * 10**7, samples))

    def fails(case: Case) -> bool:
        return any(node.op == "once" for node in case.ir.nodes) and len(case.recording) >= 3

    small = shrunk(case, fails)
    assert small.source.strip() == "trigger b { when once(x < 0 over 1 s) }"
    assert len(small.recording) == 3
    assert "once(x < 0 over 1 s)" in pasted(small)
