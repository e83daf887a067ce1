# Irregular rows of several rates, as recordings are: the rules of time all at once.
trigger agreed { when fast > 0.5 and (slow > 0.3 for 150 ms) }
trigger flagged { when flag for 120 ms tolerating 60 ms cooldown 400 ms }
trigger gone { when missing(fast) or missing(flag) }
trigger often { when count(fast > 0.6 over 200 ms) >= 2 }
