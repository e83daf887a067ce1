"""The description of a placed module: its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from triggers.contracts.campaign import TriggerSettings
from triggers.language.webassembly import layout
from triggers.language.webassembly.cost import cost_of_plan
from triggers.language.webassembly.host.manifest import (
    Cost,
    Manifest,
    ManifestCompare,
    ManifestEvents,
    ManifestField,
    ManifestInput,
    ManifestList,
    ManifestTrigger,
    Region,
)
from triggers.language.webassembly.objects.plan import ListPlan
from triggers.language.webassembly.placement import Placement
from triggers.language.webassembly.plan import ModulePlan


def describe(placement: Placement, settings: Sequence[TriggerSettings]) -> Manifest:
    """The manifest; `settings` say what each trigger captures."""
    # The settings, which a host has anyway, say what is sent on change; programs stay the bytes that were approved.
    captures = {trigger.name: trigger.capture.model_copy(update={"on_change": ()}) for trigger in settings}
    cost = cost_of_plan(placement.plan)
    return Manifest(
        format=_format(placement.plan),
        max_gap_ns=placement.plan.ir.max_gap_ns,
        inputs=tuple(
            ManifestInput(
                name=item.name,
                type=item.type,
                unit=item.unit,
                max_age_ns=item.max_age_ns,
                initial=item.initial,
                values=item.values,
                column=placement.inputs_at + placement.column_stride * position,
            )
            for position, item in enumerate(placement.plan.ir.inputs)
        ),
        triggers=tuple(
            ManifestTrigger(
                name=trigger.name,
                cooldown_ns=trigger.cooldown_ns,
                capture=captures.get(trigger.name),
                record=placement.plan.state.triggers + layout.TRIGGER_BYTES * position,
            )
            for position, trigger in enumerate(placement.plan.ir.triggers)
        ),
        compares=tuple(
            ManifestCompare(head=compare.head, counters=placement.plan.state.compares + layout.COMPARE_BYTES * position)
            for position, compare in enumerate(placement.plan.ir.compares)
        ),
        events=tuple(
            ManifestEvents(
                head=code.head,
                sides=code.sides,
                within_ns=code.within_ns,
                driver=code.driver,
                counters=placement.plan.state.events + layout.EVENTS_BYTES * position,
            )
            for position, code in enumerate(placement.plan.ir.events)
        ),
        lists=tuple(
            _list(placement, each) for each in sorted(placement.plan.lists.values(), key=lambda each: each.place)
        ),
        times=placement.times,
        row_capacity=placement.row_capacity,
        fires=placement.fires,
        fire_capacity=placement.fire_capacity,
        fire_count=placement.fire_count,
        state=Region(address=layout.STATE, size_bytes=placement.plan.state.size),
        overflows=layout.OVERFLOWS,
        cost=Cost(
            operations_per_tick=cost.operations_per_tick[1],
            burst_operations=cost.burst_operations,
            operations_per_block=cost.operations_per_block,
        ),
    )


def _format(plan: ModulePlan) -> Literal["longtail-program/2", "longtail-program/3", "longtail-program/4"]:
    """The oldest format that has all that the program needs of its host."""
    if plan.lists:
        return "longtail-program/4"
    return "longtail-program/3" if plan.ir.events else "longtail-program/2"


def _list(placement: Placement, plan: ListPlan) -> ManifestList:
    buffers = placement.list_buffers[plan.number]
    return ManifestList(
        input=plan.item.name,
        max_objects=plan.most,
        capacity=buffers.capacity,
        starts=buffers.starts,
        keys=buffers.keys,
        fields=tuple(
            ManifestField(
                name=field.name, type=field.type, unit=field.unit, values=field.values, column=buffers.fields.get(place)
            )
            for place, field in enumerate(plan.item.fields)
        ),
        left_out=placement.list_state(plan).left_out,
    )
