# A remainder is exact and in [0, m); bits are those of whole numbers; floor goes down; -0 has sign 0.
trigger rest { when mod(x, m) > 0.5 }
trigger none { when missing(mod(x, m)) }
trigger zero { when mod(x, 0.1) == 0 }
trigger quarter { when mod(heading, 90 deg) < 5 deg }
trigger bits { when bits(x, 4503599627370502) == 4503599627370496 }
trigger no_bits { when missing(bits(x, 1)) }
trigger positive { when sign(x) == 1 and 1 / sign(abs(m)) > 0 }
trigger zeros { when sign(x) == 0 }
trigger floors { when floor(x / 2) == -1 }
trigger below_zero { when 1 / floor(x) < 0 }
trigger least { when min(x, m, 3, heading / 1 deg) < -1 }
trigger held { when clamp(x, m, 2) == 2 }
trigger close { when approx(heading, 90 deg, 0.5 deg) }
