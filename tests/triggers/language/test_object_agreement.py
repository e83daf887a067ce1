"""The reference interpreter and the compiled module agree bit for bit on conditions on objects."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.triggers.language.randomised.agreement import Case, check
from tests.triggers.language.randomised.objects.graphs import random_object_program
from tests.triggers.language.randomised.objects.samples import recording_of
from triggers.language.ir import Ir

PROGRAMS = int(os.environ.get("LONGTAIL_TEST_PROGRAMS", "400")) // 8
FIRST_SEED = int(os.environ.get("LONGTAIL_TEST_FIRST_SEED", "0"))
SHARDS = 10


def case_of(random: Random, ir: Ir, rows: int) -> Case:
    """A case without a text, of a program that was built as a graph."""
    case = Case("", "", recording_of(random, ir, rows))
    vars(case)["ir"] = ir
    return case


@pytest.mark.parametrize("shard", range(SHARDS))
def test_interpreter_and_module_agree_on_random_conditions_on_objects(shard: int) -> None:
    for seed in range(FIRST_SEED + shard, FIRST_SEED + PROGRAMS, SHARDS):
        random = Random(seed)
        check(case_of(random, random_object_program(random), 120), random)
