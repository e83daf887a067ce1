"""A campaign's limits: stated in the signal catalog, held while compiling, told with what costs most."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.paths import REPOSITORY
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_source
from triggers.language.webassembly.cost import cost_of
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.signals.catalog import SignalCatalog

SIGNALS = "signals:\n  x: {rate: 10}\n  y: {rate: 10}\n  p: {type: bool, rate: 10}\n"


def catalog(limits: str = "") -> SignalCatalog:
    return SignalCatalog.parse(f"{limits}\n{SIGNALS}", name="signals.yaml")


def compiled(source: str, limits: str = "") -> Compilation:
    return compile_source(source, filename="t", catalog=catalog(limits))


def findings(source: str, limits: str = "") -> list[tuple[str, int, int]]:
    """Codes and places of the errors."""
    found = compiled(source, limits).diagnostics
    return [(each.code, each.line, each.column) for each in found if each.severity == "error"]


ONE = "trigger a { when max(x over 2 s) > 1 and p }\ncampaign c { collect a budget 1 clips }\n"


@pytest.mark.parametrize(
    ("rate", "period"), [(36, "28 ms"), (300, "3300 us"), (5_000, "200 us"), (100_000, "10 us"), (0.3, "3333 ms")]
)
def test_a_sample_period_is_told_however_short_it_is(rate: float, period: str) -> None:
    signals = SignalCatalog.parse(f"signals: {{x: {{rate: {rate}}}}}", name="c")
    source = "trigger t { when max(x over 1 us) > 3 for 1 us }"
    said = [each.message for each in compile_source(source, filename="t", catalog=signals).diagnostics]
    assert any(f"shorter than two sample periods of {period}" in each for each in said)
    assert any(f"`for 1 us` is shorter than the sample period of {period}" in each for each in said)


def test_by_default_a_campaign_has_256_kib_and_20000_operations() -> None:
    limits = catalog().limits
    assert (limits.state, limits.operations) == (262_144, 20_000)


@pytest.mark.parametrize(("text", "size"), [
    ("4096", 4096), ("64 KiB", 65_536), ("1 MB", 1_000_000), ('"0.5 KiB"', 512),
])  # fmt: skip
def test_state_is_bytes_or_an_amount_with_its_unit(text: str, size: int) -> None:
    assert catalog(f"limits: {{state: {text}}}").limits.state == size


@pytest.mark.parametrize("text", [
    "state: 0", "state: 5 m", "state: 1e99 KiB", "state: x KiB", "state: 5 s", "state: 1/0 KiB", "state: nan KiB",
    "state: 1.5 B", "state: 0.0001 kB", "operations: -1", "operations: 2.5", "cpu: 3",
])  # fmt: skip
def test_an_invalid_limit_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"signals\.yaml:1:\d+: limits\."):
        catalog(f"limits: {{{text}}}")


def test_a_campaign_at_its_limits_compiles_and_one_below_does_not() -> None:
    cost = cost_of(compiled(ONE).campaigns["c"].ir)
    state, operations = cost.state_bytes, cost.operations_per_tick[1]
    assert findings(ONE, f"limits: {{state: {state}, operations: {operations}}}") == []
    assert findings(ONE, f"limits: {{state: {state - 1}}}") == [("LT502", 1, 18)]
    assert findings(ONE, f"limits: {{operations: {operations - 1}}}") == [("LT503", 2, 10)]  # reading costs most


def test_the_operator_that_costs_most_is_named_where_it_stands_in_a_let() -> None:
    source = "let w = avg(x over 2 s) +\n  max(y over 30 s)\n" + ONE.replace("max(x over 2 s)", "w")
    (found,) = compiled(source, "limits: {state: 1 KiB}").diagnostics
    assert (found.line, found.column) == (2, 3)
    assert "`max(y over 30 s)` takes " in found.message
    assert found.message.startswith("campaign `c` needs ")


def test_a_refused_file_has_no_program() -> None:
    compilation = compiled(ONE, "limits: {state: 100}")
    assert not compilation.ok
    assert not compilation.campaigns
    assert compilation.triggers is None


def test_triggers_of_a_file_without_campaign_keep_the_limits_one_by_one() -> None:
    triggers = [f"trigger t{i} {{ when max(x over {i + 2} s) > 1 }}" for i in range(5)]
    one = cost_of(compiled(triggers[4]).triggers.ir)  # type: ignore[union-attr]
    limits = f"limits: {{operations: {one.operations_per_tick[1]}, state: {one.state_bytes}}}"
    assert findings("\n".join(triggers), limits) == []
    assert findings("\n".join(triggers), limits.replace(str(one.state_bytes), str(one.state_bytes - 1))) == [
        ("LT502", 5, 19)
    ]


def test_a_campaign_that_is_too_large_is_refused_even_if_each_trigger_is_not() -> None:
    triggers = [f"trigger t{i} {{ when max(x over {i + 2} s) > 1 }}" for i in range(5)]
    one = cost_of(compiled(triggers[4]).triggers.ir)  # type: ignore[union-attr]
    source = "\n".join(triggers) + "\ncampaign c { collect t0, t1, t2, t3, t4 budget 1 clips }\n"
    assert findings(source, f"limits: {{state: {one.state_bytes}}}") == [("LT502", 5, 19)]


MANY = 330
"""Counters of 800 kB each, which together need more memory than a module may have."""
COUNTERS = "\n".join(f"trigger t{i} {{ when count(p over {i + 10} s) > 99000 }}" for i in range(MANY))


def test_a_program_that_fits_into_no_module_is_refused_while_compiling() -> None:
    (found,) = compiled(COUNTERS, "limits: {state: 1 MiB}").diagnostics
    assert (found.code, found.line, found.column) == ("LT504", 1, 9)
    assert re.fullmatch(
        r"the file needs 2\d\d,\d{3},\d{3} bytes of memory, but a module may have at most 268,435,456", found.message
    )


def test_triggers_that_fit_into_no_module_together_compile_where_campaigns_share_them_out() -> None:
    campaigns = "\n".join(f"campaign c{i} {{ collect t{i} budget 1 clips }}" for i in range(MANY))
    compilation = compiled(f"{COUNTERS}\n{campaigns}", "limits: {state: 1 MiB}")
    assert compilation.ok, compilation.diagnostics[:1]
    assert read_manifest(compilation.campaigns["c7"].program).triggers[0].name == "t7"


def test_checking_a_file_needs_no_wasmtime_and_no_numpy() -> None:
    code = (
        "import sys; from fleet_api.cli.main import main;"
        "main(['check', 'fleet_api/demo/demo.trigger', '--signals', 'fleet_api/demo/signals.yaml']);"
        "print([name for name in ('wasmtime', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("amount", "is_allowed"), [("1.5 kB", True), ("1.5 B", False), ("0.0001 kB", False)])
def test_a_budget_is_whole_bytes(amount: str, is_allowed: bool) -> None:
    source = f"trigger a {{ when p }}\ncampaign c {{ collect a budget {amount} total }}\n"
    assert [code for code, _, _ in findings(source)] == ([] if is_allowed else ["LT407"])


@pytest.mark.parametrize(("length", "mistakes"), [(1000, []), (1001, [("LT501", 1, 22), ("LT501", 2, 23)])])
def test_a_description_that_is_too_long_is_refused(length: int, mistakes: list[tuple[str, int, int]]) -> None:
    text = "x" * length
    trigger = f'trigger a {{ describe "{text}" when p }}'
    campaign = f'campaign c {{ describe "{text}" collect a budget 1 clips }}'
    assert findings(f"{trigger}\n{campaign}\n") == mistakes


@pytest.mark.parametrize(
    ("value", "is_allowed"), [(-(2**63), True), (2**63 - 1, True), (2**63, False), (-(2**63) - 1, False)]
)
def test_a_target_takes_every_integer_that_an_attribute_can_be(value: int, is_allowed: bool) -> None:
    source = f"trigger a {{ when p }}\ncampaign c {{ collect a budget 1 clips target vehicle.n == {value} }}\n"
    assert [code for code, _, _ in findings(source, "vehicle: {n: integer}")] == ([] if is_allowed else ["LT407"])
