"""The symbols of a module: the numbers for the words in capitals in the texts of timeline and kernels."""

from __future__ import annotations

from triggers.language.rows import HEARTBEAT_NS
from triggers.language.webassembly import layout
from triggers.language.webassembly.objects.memory import ABSENT, HELD_PLACE
from triggers.language.webassembly.objects.text import HOOKS
from triggers.language.webassembly.placement import Placement


def symbols_of(place: Placement) -> dict[str, int | str]:
    """What stands for each word in capitals in the texts of a placed module: addresses, sizes, times, instructions."""
    plan = place.plan
    segment = plan.state.segment
    triggers = plan.state.triggers
    return {
        "STATE": layout.STATE,
        "STATE_BYTES": plan.state.size,
        "RUNNING": layout.RUNNING,
        "PREVIOUS": layout.PREVIOUS,
        "BEAT": layout.BEAT,
        "OVERFLOWS": layout.OVERFLOWS,
        "TRIGGERS": triggers,
        "TRIGGERS_END": triggers + layout.TRIGGER_BYTES * len(plan.ir.triggers),
        "SEGMENT": segment,
        "SEGMENT_BYTES": len(plan.state.image),
        "IMAGE": place.image,
        "HELD": segment,
        "HELD_END": segment + layout.HELD_BYTES * plan.inputs,
        "SAMPLE_TIMES": segment + 16,
        "MAX_AGES": place.max_ages,
        "SAMPLED_COLUMNS": place.sampled_columns,
        "INPUTS": plan.inputs,
        "TIMES": place.times,
        "COLUMNS": place.inputs_at,
        "COLUMNS_END": place.inputs_at + place.column_stride * plan.inputs,
        "COLUMN_STRIDE": place.column_stride,
        "ROW_CAPACITY": place.row_capacity,
        "FIRES": place.fires,
        "FIRE_COUNT": place.fire_count,
        "FIRE_ROWS": place.fires + 8,
        "FIRE_TRIGGERS": place.fires + 12,
        "FIRE_LIMIT": place.fire_capacity - place.fire_room,
        "CHUNK": place.chunk,
        "CHUNK_BYTES": 8 * place.chunk,
        "LAST_TICK": place.chunk - 1,
        "HALF": place.half,
        "FIRST_PATIENCE": min(256, place.chunk),
        "TICK_TIMES": place.tick_times,
        "TICK_ROWS": place.tick_rows,
        "ANY": place.any,
        "BEATS": place.beats,
        "MASKS": place.fresh,
        "MASKS_END": place.due + place.half * len(plan.due_masks),
        "FRESH": place.fresh,
        "DUE": place.due,
        "SHOWN": place.shown,
        "UNKNOWN_WITH": place.unknown_with,
        "KNOWN_WITH": place.known_with,
        "HEARTBEAT_NS": HEARTBEAT_NS,
        "CLOSE_NS": min(HEARTBEAT_NS, plan.ir.max_gap_ns),
        "FAR": -(1 << min(HEARTBEAT_NS, plan.ir.max_gap_ns).bit_length() - 1),
        "MAX_GAP_NS": plan.ir.max_gap_ns,
        "NEVER_IN_PLACE": "(return (i32.const 0))" if plan.has_clock else "",
        "END_EVENTS": "(call $end_events)" if plan.ir.events else "",
        **(_of_lists(place) if plan.lists else dict.fromkeys(HOOKS, "")),
    }


def _of_lists(place: Placement) -> dict[str, int | str]:
    return {
        **HOOKS,
        "OBJECT_AT": place.object_at,
        "PRESENT": place.present,
        "ABSENT": ABSENT,
        "HELD_PLACE": HELD_PLACE,
        "KEPT_MASKS": place.kept_masks,
        "MASKS_BYTES": place.masks_bytes,
    }
