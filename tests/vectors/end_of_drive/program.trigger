# After a drive's last row there are no heartbeats; the next drive begins a segment, and cooldowns go on.
trigger held { when lit for 500 ms }
trigger rises { when x > 0.5 cooldown 2 s }
