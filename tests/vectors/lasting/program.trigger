# Short runs, `then ... after`, chains, `since`, latches, and a clock that ticks at heartbeats.
trigger brief { when a for at most 200 ms }
trigger bridged { when a for at most 300 ms tolerating 100 ms }
trigger later { when a then b after 200 ms within 500 ms }
trigger chain { when a then b within 400 ms then not a within 300 ms }
trigger ever { when b since fall(a) }
trigger lately { when not a since b within 300 ms }
trigger unclear { when missing(a since b) }
trigger latched { when latch(a, b) }
trigger baseline { when every 700 ms }
trigger sampled { when every 300 ms and a }
