let close = lead.distance < 60 m
trigger a { when ego.accel < -3 m/s^2 and not close }
trigger b { when not (lead.distance < 60 m) and ego.accel < -3 m/s^2 }
trigger c { when lead.id != 3 and driver.brake }
trigger d { when not (ego.gear in ("P", "N") or driver.brake) }
trigger e { when not once(ego.speed > 50 km/h over 5 s) and driver.brake }
trigger z { when not hysteresis(ego.speed, 50 km/h, 40 km/h) }

# these say what silence means, or ask for a value
trigger f { when missing(lead.distance) or not (lead.distance < 60 m) }
trigger g { when not missing(lead.id) and lead.id != 3 }
trigger h { when lead.distance >= 60 m }
trigger i { when not driver.brake or not driver.override }
trigger j { when not (count(ego.speed > 50 km/h over 5 s) > 3) }
trigger k { when not (age(ego.speed) > 1 s) }
trigger l { when default(not (lead.distance < 60 m), true) }
trigger m { when not default(lead.distance < 60 m, false) }
trigger n { when default(lead.distance, 100 m) != 60 m }

# these keep their value in silence
trigger o { when not (lead.distance at driver.brake > 60 m) }
trigger p { when not (prev(lead.distance) > 60 m) or prev(lead.id) != 3 }
trigger q { when not (time since (ego.speed > 50 km/h) > 5 s) }
trigger r { when not (max(ego.speed since driver.brake) > 50 km/h) }

trigger s { when not approx(ego.speed, 50 km/h, 1 km/h) }
trigger t { when not (lead.distance at driver.brake > lead.distance) }
trigger u { when time since (not (ego.speed > 50 km/h)) > 5 s }
