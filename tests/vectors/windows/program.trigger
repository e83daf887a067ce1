# A window is (t - W, t]: its left end is open, and it moves with heartbeats too.
trigger spread { when max(x over 500 ms) - min(x over 500 ms) >= 3 }
trigger mean { when avg(x over 300 ms) > 1.5 }
trigger change { when delta(x over 300 ms) < -2 }
trigger slope { when rate(x over 300 ms) > 9 1/s }
trigger smooth { when ema(x over 400 ms) > 1.25 }
trigger share { when share(p over 1 s) > 60 % }
trigger often { when count(p over 1 s) >= 3 }
trigger flickers { when flicker(p over 1 s) >= 5 }
trigger lately { when once(p over 300 ms) and not p }
trigger echo { when past(x, 250 ms) > 2.5 }
trigger empty { when missing(avg(x over 300 ms)) }
