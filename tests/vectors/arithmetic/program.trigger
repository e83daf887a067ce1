# Numbers are IEEE doubles; what is not finite is unknown; -0 is smaller than +0; thresholds carry units.
trigger quotient { when x / y > 2 }
trigger unknown { when missing(x / y) }
trigger zero { when 1 / min(x, y) < 0 or 1 / max(x, y) < 0 }
trigger root { when missing(sqrt(x)) }
trigger turned { when wrap(heading - 190 deg) < -170 deg }
trigger fast { when speed > 10 m/s }
trigger exact { when x + y == 0.3 }
trigger stable { when hysteresis(x, 2, 1) }
