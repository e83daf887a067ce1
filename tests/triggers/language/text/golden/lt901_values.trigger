trigger a { when clamp(ego.speed, 1 m/s, 10 km/h) > 3 m/s }
trigger b { when sign(ego.accel) > 1 or sign(abs(ego.accel)) < 0 }
trigger c { when floor(lead.id) == 2.5 }
trigger d { when mod(ego.heading, 90 deg) >= 90 deg }
trigger e { when bits(lead.id, 6) > 6 }
trigger f { when approx(ego.speed, 36 km/h, -1 m/s) }
trigger g { when if(driver.brake, 3, 4) > 5 }
trigger h { when default(abs(ego.speed), 0) < -1 m/s }
trigger i { when changed(ego.gear) from "P" to "P" }
trigger j { when prev(abs(ego.speed)) < -1 m/s }
trigger k { when if(true, ego.speed, 0) > 1 m/s }
trigger l { when if(driver.brake, ego.speed > 5 m/s, false) and ego.speed < 3 m/s }

# these can be either
trigger m { when default(ego.speed > 5 m/s, true) and default(ego.speed < 3 m/s, true) }
trigger n { when sign(ego.accel) == -1 and mod(ego.heading, 90 deg) < 89.9 deg and bits(lead.id, 6) == 6 }
trigger o { when bits(lead.id, 4) == 1 }
