"""The host: one campaign's failure is its own, a failed write costs no fire, and a paused version goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.handmade import ENDS_BADLY, MEMORY, RESET, WHOLE, run_that, written
from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, SPEEDING, ManualClock, at, compiled, offer, rows
from triggers.assignment.sampling import keep_fire
from triggers.clips.reader import read_clip
from triggers.contracts.bundle import Bundle, make_bundle
from triggers.contracts.checkin import FireCounts
from triggers.errors import Unreachable
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs.caps import ProgramCaps
from triggers.vehicle.programs.host import Host
from triggers.vehicle.recording.fires import VehicleFire


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "j.sqlite")
    yield opened
    opened.close()


def writable(journal: Journal, yes: bool) -> None:
    """Let every write to the journal fail, as on a disk that turned read-only, or succeed again."""
    journal.reading.execute(f"PRAGMA query_only={'OFF' if yes else 'ON'}")


def counts_of(journal: Journal, campaign: str) -> FireCounts:
    return next(counts for counts in journal.counts() if counts.campaign == campaign)


def told(fires: list[VehicleFire]) -> list[tuple[str, int, int]]:
    return [(fire.campaign, fire.ordinal, fire.t_ns) for fire in fires]


def damaged_row(t_s: float) -> Row:
    """A row over which the evaluators of programs that read the brake stumble, and no others."""
    samples: dict[str, Any] = {"ego.speed": 20.0, "ego.brake": "pressed"}
    return Row(at(t_s), samples)


def test_a_campaign_whose_evaluation_fails_is_suspended_alone_and_reported_once(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(BRAKING), compiled(SPEEDING)])
    host.run(rows(0, 10, brake_at=(5,), fast_at=(5,)))
    assert told(host.run([damaged_row(10), *rows(10.1, 20, fast_at=(12,))])) == [("speeding", 2, at(12))]
    assert host.campaigns == (("speeding", 1),)
    (problem,) = host.take_problems()
    assert "braking version 1 is suspended" in problem and "ValueError" in problem
    assert host.take_problems() == []
    host.flush()
    braking, speeding = counts_of(journal, "braking"), counts_of(journal, "speeding")
    assert (braking.watermark, speeding.watermark) == (1, 2)
    assert braking.armed_ns == 9_900_000_000, "what was armed before it failed is counted"


def test_a_suspended_campaign_stays_suspended_until_it_is_taken_away_and_then_starts_afresh(journal: Journal) -> None:
    host = Host("car-1", journal)
    both = [compiled(BRAKING), compiled(SPEEDING)]
    host.assign(both)
    host.run([*rows(0, 10, brake_at=(5,)), damaged_row(10)])
    host.run(rows(11, 12, brake_at=(11.5,)))
    assert host.assign(both) == [] and host.campaigns == (("speeding", 1),)
    host.assign(both[1:])
    host.assign(both)
    assert told(host.run(rows(12, 20, brake_at=(15,)))) == [("braking", 1, at(15))]


def test_a_suspended_campaigns_state_is_not_kept(journal: Journal) -> None:
    host = Host("car-1", journal)
    bundle = compiled(BRAKING)
    host.assign([bundle])
    host.run([damaged_row(0)])
    host.assign([])
    host.save()
    assert journal.take_state("braking", 1, bundle.program_digest) is None


def test_the_agent_tells_of_a_suspended_campaign_at_the_next_check_in(
    cloud: Cloud,
    make_config: MakeConfig,
    clock: ManualClock,
    key: Ed25519PrivateKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        run = Evaluator.run

        def stumble(evaluator: Evaluator, driven: list[Row]) -> Any:
            if "ego.brake" in evaluator.inputs:
                raise ZeroDivisionError("it divided by nothing")
            return run(evaluator, driven)

        monkeypatch.setattr(Evaluator, "run", stumble)
        agent.feed(rows(0, 20, brake_at=(5,), fast_at=(10,)))
        assert {counts.campaign: counts.watermark for counts in agent.status().counts} == {"braking": 0, "speeding": 1}
        agent.check_in()
    assert "it divided by nothing" in cloud.check_ins[-1].problems[0]


def handmade(source: str, trigger: str, *parts: str) -> Bundle:
    """A campaign with a module that the compiler did not make."""
    return make_bundle(compiled(source).settings, 1, written(*parts, trigger=trigger))


@pytest.mark.parametrize(
    ("body", "reason"), [("unreachable", "unreachable"), ("(loop (br 0)) local.get 0", "all fuel consumed")]
)
def test_a_program_that_traps_or_never_ends_is_suspended_alone(journal: Journal, body: str, reason: str) -> None:
    bad = handmade(BRAKING, "hard", *WHOLE[:3], run_that(body))
    host = Host("car-1", journal)
    assert host.assign([bad, compiled(SPEEDING)]) == []
    assert told(host.run(rows(0, 10, fast_at=(5,)))) == [("speeding", 1, at(5))]
    (problem,) = host.take_problems()
    assert problem.startswith("braking version 1 is suspended") and reason in problem
    host.assign([])
    host.save()
    assert journal.take_state("braking", 1, bad.program_digest) is None


def test_a_program_that_traps_at_the_end_of_a_drive_is_suspended_alone(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([handmade(BRAKING, "hard", MEMORY, RESET, ENDS_BADLY, WHOLE[3]), compiled(SPEEDING)])
    host.run(rows(0, 10))
    host.end_drive()
    assert host.campaigns == (("speeding", 1),)
    assert "unreachable" in host.take_problems()[0]
    assert told(host.run(rows(10, 20, fast_at=(15,)))) == [("speeding", 1, at(15))]


def test_a_module_that_is_refused_names_why_and_the_others_run(journal: Journal) -> None:
    importing = handmade(BRAKING, "hard", '(import "env" "now" (func))', *WHOLE)
    endless = handmade(BRAKING.replace("braking", "other"), "hard", MEMORY, *WHOLE[2:])
    problems = Host("car-1", journal).assign([importing, endless, compiled(SPEEDING)])
    assert [problem.partition(" does not run: ")[0] for problem in problems] == [
        "braking version 1",
        "other version 1",
    ]
    assert "imports something" in problems[0] and "`reset`" in problems[1]


@pytest.mark.parametrize("caps", [ProgramCaps(state_bytes=10, operations=10**6), ProgramCaps(10**6, operations=10)])
def test_a_program_beyond_the_vehicles_own_caps_does_not_run_whoever_signed_it(
    journal: Journal, caps: ProgramCaps
) -> None:
    host = Host("car-1", journal, caps=caps)
    (problem,) = host.assign([compiled(BRAKING)])
    assert "braking version 1 does not run" in problem and "this vehicle allows" in problem
    assert host.campaigns == ()
    generous = Host("car-1", journal, caps=ProgramCaps(10**6, 10**6))
    assert generous.assign([compiled(BRAKING)]) == []


def test_samples_that_come_faster_than_declared_are_reported_once_per_drive(journal: Journal) -> None:
    windowed = compiled(BRAKING.replace("ego.brake > 50 %", "max(ego.brake over 1 s) > 50 %"))
    host = Host("car-1", journal)
    host.assign([windowed, compiled(SPEEDING)])
    host.run(rows(0, 10))
    host.end_drive()
    assert host.take_problems() == []
    hurried = [Row(at(20) + k * 1_000_000, {"ego.brake": 0.0}) for k in range(1000)]
    host.run(hurried)
    host.end_drive()
    host.end_drive()
    (problem,) = host.take_problems()
    assert problem.startswith("braking version 1: 9")
    assert "faster than the signal catalog declares" in problem


def test_samples_that_a_signal_cannot_have_are_reported_once_per_drive(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(BRAKING.replace("ego.brake > 50 %", "active.cut_in.detected"))])
    for _ in range(2):
        odd = [Row(at(20) + k * 100_000_000, {"active.cut_in.detected": float(k)}) for k in range(2, 5)]
        assert host.run(odd) == []
        host.end_drive()
        (problem,) = host.take_problems()
        assert "3 samples of active.cut_in.detected" in problem and "counted as invalid" in problem


def test_the_agent_tells_at_the_next_check_in_what_the_end_of_a_drive_brought_to_light(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING.replace("ego.brake > 50 %", "avg(ego.brake over 1 s) > 50 %")), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        agent.feed(Row(at(0) + k * 1_000_000, {"ego.brake": 0.0}) for k in range(1000))
        agent.finish_drive()
        agent.check_in()
    (problem,) = cloud.check_ins[-1].problems
    assert "faster than the signal catalog declares" in problem


def test_a_program_with_a_state_of_an_older_format_starts_afresh_which_is_reported(journal: Journal) -> None:
    bundle = compiled(BRAKING)
    key = ("braking", 1, bundle.program_digest)
    Host("car-1", journal).assign([bundle])
    for old in (b'{"format": "longtail-state/1", "program": "", "operators": []}', b"", b"\0" * 1000):
        journal.save_states({key: old})
        host = Host("car-1", journal)
        (problem,) = host.assign([bundle])
        assert problem.startswith("braking version 1 starts afresh: saved state")
        assert len(host.run(rows(0, 20, brake_at=(10,)))) == 1
        host.assign([])


def test_after_a_failed_write_the_same_fires_get_the_same_ordinals(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(BRAKING), compiled(SPEEDING)])
    host.run(rows(0, 5, fast_at=(2,)))
    writable(journal, False)
    with pytest.raises(Unreachable, match="cannot be written"):
        host.run(rows(5, 10, brake_at=(7,), fast_at=(6, 9)))
    assert counts_of(journal, "speeding").watermark == 1
    writable(journal, True)
    assert told(host.run([])) == [("speeding", 2, at(6)), ("braking", 1, at(7)), ("speeding", 3, at(9))]
    assert host.run([]) == []
    assert (counts_of(journal, "speeding").watermark, counts_of(journal, "braking").watermark) == (3, 1)


def test_fires_that_another_write_brought_to_the_journal_are_still_given_out(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(SPEEDING)])
    writable(journal, False)
    with pytest.raises(Unreachable):
        host.run(rows(0, 5, fast_at=(2,)))
    writable(journal, True)
    host.flush()
    assert counts_of(journal, "speeding").in_flight == 1
    assert told(host.run(rows(5, 10, fast_at=(6,)))) == [("speeding", 1, at(2)), ("speeding", 2, at(6))]


moments = st.lists(st.floats(1, 58).map(lambda t: round(t, 1)), max_size=8).map(tuple)


@given(moments, moments, st.lists(st.booleans(), min_size=12, max_size=12))
@settings(max_examples=25)
def test_whichever_writes_fail_nothing_fires_twice_is_lost_or_counted_otherwise(
    tmp_path_factory: pytest.TempPathFactory,
    braked: tuple[float, ...],
    fast: tuple[float, ...],
    succeeds: list[bool],
) -> None:
    seen = []
    for outcomes in (succeeds, [True] * len(succeeds)):
        journal = Journal(tmp_path_factory.mktemp("writes") / "j.sqlite")
        host = Host("car-1", journal)
        host.assign([compiled(BRAKING), compiled(SPEEDING, sample_one_in=2)])
        driven, fires = rows(0, 60, brake_at=braked, fast_at=fast), []
        for number, success in enumerate(outcomes):
            writable(journal, success)
            try:
                fires += host.run(driven[number * 50 : (number + 1) * 50])
            except Unreachable:
                assert not success
        writable(journal, True)
        fires += host.run([])
        host.flush()
        seen.append((told(fires), journal.counts()))
        journal.close()
    assert sorted(seen[0][0]) == sorted(seen[1][0])
    assert seen[0][1] == seen[1][1]


def test_a_caller_that_goes_on_after_a_failed_write_still_gets_the_clip(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, journal: Journal
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    with VehicleAgent(make_config(), clock=clock, journal=journal) as agent:
        agent.check_in()
        failures = 0
        for number, row in enumerate(rows(0, 30, brake_at=(10,))):
            writable(journal, not 90 <= number < 120)
            try:
                agent.feed([row])
            except Unreachable:
                failures += 1
        agent.finish_drive()
        (clip,) = agent.status().queued
        content = read_clip(clip.path)
    manifest, held = content.manifest, content.footage
    assert failures > 0
    assert (manifest.start_ns, manifest.end_ns, manifest.fires[0].ordinal) == (at(5), at(13), 1)
    assert len(held.signals["ego.brake"].values) == 81, "every row is there, and once"


class RefusingJournal(Journal):
    """A journal that keeps lists and bundles, and gives no evaluator's state while it refuses to."""

    refuses = True

    def take_state(self, campaign: str, version: int, program_digest: str) -> bytes | None:
        if self.refuses:
            raise Unreachable("the disk says no")
        return super().take_state(campaign, version, program_digest)


def test_a_list_that_could_not_be_put_to_work_is_put_to_work_at_the_next_check_in(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    journal = RefusingJournal(tmp_path / "j.sqlite")
    with VehicleAgent(make_config(), clock=clock, journal=journal) as agent:
        with pytest.raises(Unreachable):
            agent.check_in()
        journal.refuses = False
        agent.check_in()
        assert agent.status().campaigns == (("braking", 1),)


def on_objects(campaign: str, version: int, *fields: str) -> Bundle:
    """A campaign that fires when an object is near and captures the list, whose objects have these fields."""
    listed = ", ".join(f"{name}: {{unit: m}}" for name in fields)
    text = f"objects: {{tracked: {{max: 4, rate: 10, key: id, fields: {{id: {{type: id}}, {listed}}}}}}}"
    catalog = SignalCatalog.parse(f"signals: {{ego.speed: {{unit: m/s, rate: 10}}}}\n{text}", name="signals")
    source = f"""language 2
    trigger near {{ when any(o in tracked where o.x < 5 m) capture 1 s before, 1 s after {{ signals tracked }} }}
    campaign {campaign} {{ collect near budget 100 clips }}
    """
    compilation = compile_source(source, filename="t.trigger", catalog=catalog)
    assert compilation.ok, compilation.diagnostics
    return make_bundle(compilation.campaigns[campaign].settings, version, compilation.campaigns[campaign].program)


def test_a_version_may_change_the_fields_of_a_list_that_only_the_one_before_read(journal: Journal) -> None:
    host = Host("car-1", journal)
    assert host.assign([on_objects("c", 1, "x")]) == []
    assert host.assign([on_objects("c", 2, "x", "y")]) == []
    assert host.campaigns == (("c", 2),)
    assert host.lists == {"tracked": ("id", "x", "y")}
    driven = [Row(at(t_s), {}, {"tracked": ObjectSample((1,), ((x, 0.0),))}) for t_s, x in ((1, 9.0), (1.1, 4.0))]
    assert told(host.run(driven)) == [("c", 1, at(1.1))]


def test_a_version_that_means_other_fields_than_a_campaign_that_stays_does_not_run(journal: Journal) -> None:
    host = Host("car-1", journal)
    stays = on_objects("stays", 1, "x")
    assert host.assign([on_objects("c", 1, "x"), stays]) == []
    (problem,) = host.assign([on_objects("c", 2, "x", "y"), stays])
    assert problem.startswith("c version 2 does not run: its list tracked has the fields id, x, y, and on this vehicle")
    assert host.campaigns == (("stays", 1),)
    assert host.assign([on_objects("c", 2, "x", "y"), on_objects("stays", 2, "x", "y")]) == []
    assert host.campaigns == (("c", 2), ("stays", 2))


def test_an_open_recording_of_a_replaced_version_holds_its_list_with_the_new_fields(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    near = [Row(at(n / 10), {}, {"tracked": ObjectSample((1,), ((4.0 if n else 9.0,),))}) for n in range(5)]
    wider = [Row(at(n / 10), {}, {"tracked": ObjectSample((1,), ((9.0, 1.0),))}) for n in range(5, 9)]
    offer(cloud, key, on_objects("c", 1, "x"), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        agent.feed(near)
        offer(cloud, key, on_objects("c", 2, "x", "y"), revision=2)
        agent.check_in()
        agent.feed(wider)
        agent.finish_drive()
        assert agent.status().campaigns == (("c", 2),)
        (clip,) = agent.status().queued
        recorded = read_clip(clip.path).require_sound().footage.objects["tracked"]
    assert recorded.names == ("id", "x", "y")
    assert list(recorded.times_ns) == [row.t_ns for row in wider]


OWN_WORDS = """
trigger hard { when ego.brake > 50 % capture 5 s before, 3 s after { signals ego.brake } priority 90 }
trigger fast { when ego.speed > 30 m/s capture 5 s before, 3 s after { signals ego.speed } sample 1 in 2 }
campaign both { collect hard, fast sample 1 in 1 priority 20 budget 100 clips }
"""


def test_each_trigger_is_sampled_and_ranked_by_what_it_says_itself(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, journal: Journal
) -> None:
    bundle = compiled(OWN_WORDS)
    brakes, speeds = tuple(range(20, 500, 40)), tuple(range(35, 500, 40))
    both = (600.0,)
    offer(cloud, key, bundle, revision=1)
    with VehicleAgent(make_config(), clock=clock, journal=journal) as agent:
        agent.check_in()
        agent.feed(rows(0, 610, brake_at=(*brakes, *both), fast_at=(*speeds, *both)))
        agent.finish_drive()
        clips = [(clip, read_clip(clip.path).manifest.fires) for clip in agent.status().queued]
    fires = [fire for _, held in clips for fire in held]
    kept = {s for s in (*speeds, *both) if keep_fire("car-1", "both", 1, "fast", at(s), 2)}
    assert 0 < len(kept) < len(speeds)
    assert {fire.t_ns for fire in fires if fire.trigger == "fast"} == {at(s) for s in kept}
    assert {fire.t_ns for fire in fires if fire.trigger == "hard"} == {at(s) for s in (*brakes, *both)}
    assert {(fire.trigger, fire.inclusion_probability) for fire in fires} == {("hard", 1.0), ("fast", 0.5)}
    for clip, held in clips:  # of several fires in a clip the highest priority counts
        assert clip.priority == (90 if any(fire.trigger == "hard" for fire in held) else 20)
    assert [clip.priority for clip, _ in clips] == sorted((clip.priority for clip, _ in clips), reverse=True)
