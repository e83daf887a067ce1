# A quantile is the value at place ceil(q * n) of the window's values in order, of few or many.
trigger middle { when median(x over 500 ms) > 1 }
trigger high { when quantile(x over 1 s, 90 %) >= 3 }
trigger low { when quantile(x over 300 ms, 1 / 4) == 0.5 }
trigger zero { when quantile(x over 400 ms, 2 / 3) == 0 }
trigger nothing { when missing(median(x over 300 ms)) }
trigger crowded { when median(slow over 1 s) > 2 }
