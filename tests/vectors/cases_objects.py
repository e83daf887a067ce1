"""Vectors of lists of objects: what is kept apart for each, and what is told of all."""

from __future__ import annotations

from tests.vectors.case import Case
from tests.vectors.recordings import recording

_FIELDS = "fields: {id: {type: id}, x: {unit: m}, seen: {type: bool}, kind: {type: text, values: [car, truck]}}"

_OBJECTS = Case(
    name="objects",
    says="Conditions on objects: each has a state of its own, told from others by all 64 bits of its key.",
    signals=f"""
        objects: {{tracked: {{max: 8, rate: 10, max_age: 0.25, key: id, {_FIELDS}}}}}
        signals: {{ego.speed: {{unit: m/s, rate: 10}}}}
    """,
    triggers="""
        language 2
        trigger one_stays_near { when any(o in tracked where o.x < 5 m for 200 ms)  cooldown 0 s }
        trigger all_seen { when all(o in tracked where o.seen)  cooldown 0 s }
        trigger two_trucks { when count(o in tracked where o.kind == "truck") >= 2  cooldown 0 s }
        trigger closes_in { when any(o in tracked where rate(o.x over 300 ms) * -1 > ego.speed)  cooldown 0 s }
        trigger nearest_changes { when changed(nearest(o in tracked by o.x where o.seen).id)  cooldown 0 s }
        trigger far_in_sum { when sum(o.x for o in tracked) > 50 m  cooldown 0 s }
    """,
    lines=recording("""
        0 tracked=[9007199254740993,4,1,0|9007199254740992,9,1,0] ego.speed=1
        100 tracked=[9007199254740992,4,1,0|9007199254740993,9,1,0]
        200 tracked=[9007199254740993,4,0,1|9007199254740992,8,1,1]
        300 tracked=[9007199254740992,3,1,1|9007199254740993,3,1,1]; 400 tracked=[9007199254740993,3,1,0]
        450 ego.speed=2; 500 tracked=[9007199254740993,2,1,0|1,30,1,1]; 600 tracked=[1,nan,1,nan|2,1,inf,1]
        700 tracked=[]; 720 ego.speed=30; 800 tracked=[1,20,1,0|2,25,1,0|3,30,0,1]
        restart
        900 tracked=[3,28,0,1|2,1,1,1|1,10,1,0]; 1000 tracked=[1,4,1,0]; 1100 tracked=[1,4.5,1,0]
        1200 tracked=[1,4,1,0]
        1250 tracked=[1,4,0,0]; 2000 ego.speed=3; 2050 tracked=[1,4,1,0]; 2100 tracked=[1,9,0,0]; 2150 tracked=[4,9,1,1]
    """),
)

_SLOTS = Case(
    name="slots",
    says="The slots of a list: who keeps one while absent, who takes whose, what is left out, and what a gap ends.",
    signals=f"""
        max_gap: 1.0
        objects:
          tracked: {{max: 2, rate: 10, max_age: 0.25, key: id, {_FIELDS}}}
          lights: {{max: 1, rate: 10, key: light, fields: {{lit: {{type: bool}}, light: {{type: id}}}}}}
        signals: {{p: {{type: bool, rate: 10}}}}
    """,
    triggers="""
        language 2
        trigger long_near { when any(o in tracked where o.x < 5 m for 300 ms tolerating 1 s)  cooldown 0 s }
        trigger passed { when any(o in tracked where o.x < 5 m then o.x > 8 m within 2 s)  cooldown 0 s }
        trigger blinks { when any(l in lights where flicker(l.lit over 1 s) >= 2)  cooldown 0 s }
    """,
    lines=recording("""
        0 tracked=[1,4,1,0] lights=[5,0]; 100 tracked=[2,4,1,0] lights=[5,1]; 200 tracked=[] lights=[5,0]; 250 p=1
        300 tracked=[1,4,1,0] lights=[6,1]; 310 tracked=[1,9,1,0|3,4,1,0] lights=[5,1]
        400 tracked=[2,9,1,0] lights=[6,0|5,0]
        restart
        500 tracked=[2,4,1,0|2,9,1,0|3,9,1,0]; 600 tracked=[3,4,1,0|2,9,1,0|1,4,1,0] lights=[5,0]
        700 tracked=[3,4,1,0] lights=[5,1]; 800 lights=[5,0]; 960 tracked=[3,4,1,0]; 1100 tracked=[3,9,1,0]; 1200 p=0
        1300 tracked=[7,4,1,0]; 1400 tracked=[7,9,1,0]
        3000 tracked=[7,9,1,0]; 3100 tracked=[7,4,1,0]
        3200 tracked=[7,4,1,0]; 3400 tracked=[7,4,1,0]; 3500 tracked=[7,4,1,0]
        end
        3600 tracked=[7,9,1,0]; 3700 tracked=[7,9,1,0]
    """),
)

CASES = (_OBJECTS, _SLOTS)
