# Sums, deviations and integrals are those of the window's update ticks; what has left it leaves no trace.
trigger sum { when sum(x over 500 ms) > 6 }
trigger exact { when sum(far over 300 ms) == 4 }
trigger steady { when std(x over 400 ms) < 0.25 }
trigger spread { when std(far over 400 ms) > 1.4 }
trigger area { when integral(x over 600 ms) >= 0.5 s }
trigger nothing { when missing(sum(x over 300 ms)) }
trigger alone { when samples(x over 300 ms) <= 1 }
trigger told { when samples(p over 400 ms) >= 3 }
