# What authors ask in other words: each is answered with what to write.
trigger ratio { when ego.speed / past(ego.speed, 2 s) > 20 % }
trigger shares { when ego.speed / past(ego.speed, 2 s) > share(driver.brake over 5 s) }
trigger clock { when solar_time > 22:30 }
trigger one_value { when ego.gear in "R" }
trigger no_fence { when inside(nowhere_known) }
trigger attribute { when vehicle.software >= "3.2.1" }
trigger nothing { when ego.speed == null }
trigger is_true { when driver.brake is true }
trigger next { when driver.brake followed by ego.speed > 3 m/s within 2 s }
trigger since { when time_since(driver.brake) > 5 s }
trigger still { when stuck(ego.heading over 5 s) }
trigger to_and_fro { when oscillates(ego.heading) }
trigger silent { when missing(tracked) for 3 s }
trigger old { when age(tracked) > 1 s }
trigger few { when samples(tracked over 1 s) < 5 }
