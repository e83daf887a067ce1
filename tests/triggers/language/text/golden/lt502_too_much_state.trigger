# a trigger that nobody collects is held against the limits by itself
let smooth = avg(ego.speed over 2 h)

trigger slow { when smooth < 5 m/s and ego.speed > 1 m/s }

trigger long { when max(ego.accel over 1 h) > 9 m/s^2 }

campaign one { collect slow budget 1 clips }
