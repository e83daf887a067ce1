# A saved and restored state goes on as if nothing had been: holds, windows, sequences, cooldowns, counters.
trigger held { when x > 0.5 for 1 s }
trigger window { when max(x over 2 s) - min(x over 2 s) > 2.5 }
trigger mean { when avg(x over 1 s) > 0.9 cooldown 5 s }
trigger switched { when lit then x < 0 within 3 s }
