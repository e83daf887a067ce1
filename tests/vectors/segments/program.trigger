# A gap beyond max_gap, and a clock that runs back, begin a segment; a running cooldown goes on.
trigger rises { when x > 0.5 cooldown 2 s }
trigger held { when lit for 450 ms }
trigger falls { when fall(lit) }
