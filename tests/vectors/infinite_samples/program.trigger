# An infinite sample means measured but invalid: its signal is unknown until the next finite one.
trigger held { when x > 0.5 for 200 ms }
trigger tolerant { when x > 0.5 for 300 ms tolerating 100 ms }
trigger gone { when missing(x) }
trigger seen { when age(x) > 150 ms }
trigger sum { when x + y > 1 }
