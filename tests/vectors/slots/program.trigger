# The slots of a list: who keeps one while absent, who takes whose, what is left out, and what a gap ends.
language 2
trigger long_near { when any(o in tracked where o.x < 5 m for 300 ms tolerating 1 s)  cooldown 0 s }
trigger passed { when any(o in tracked where o.x < 5 m then o.x > 8 m within 2 s)  cooldown 0 s }
trigger blinks { when any(l in lights where flicker(l.lit over 1 s) >= 2)  cooldown 0 s }
