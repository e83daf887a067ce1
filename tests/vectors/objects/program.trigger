# Conditions on objects: each has a state of its own, told from others by all 64 bits of its key.
language 2
trigger one_stays_near { when any(o in tracked where o.x < 5 m for 200 ms)  cooldown 0 s }
trigger all_seen { when all(o in tracked where o.seen)  cooldown 0 s }
trigger two_trucks { when count(o in tracked where o.kind == "truck") >= 2  cooldown 0 s }
trigger closes_in { when any(o in tracked where rate(o.x over 300 ms) * -1 > ego.speed)  cooldown 0 s }
trigger nearest_changes { when changed(nearest(o in tracked by o.x where o.seen).id)  cooldown 0 s }
trigger far_in_sum { when sum(o.x for o in tracked) > 50 m  cooldown 0 s }
