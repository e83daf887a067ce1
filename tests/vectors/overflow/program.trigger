# When samples come faster than declared, a window covers the latest entries and the overflow counter rises.
trigger spread { when max(x over 1 s) - min(x over 1 s) > 4 }
trigger mean { when avg(x over 1 s) > 2 }
trigger change { when delta(x over 500 ms) > 3 }
