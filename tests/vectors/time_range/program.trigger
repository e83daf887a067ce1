# Times are 64 bit wide: from 0 on, nanoseconds since 1970 today, up to the last one that there is.
trigger rises { when x > 0.5 cooldown 300 ms }
trigger held { when x > 0.5 for 250 ms }
trigger before { when past(x, 200 ms) > 0.5 }
