trigger a { when stdev(ego.speed over 2 s) > 1 m/s }
trigger b { when total(ego.speed over 2 s) > 1 m/s }
trigger c { when previous(ego.speed) > 1 m/s }
trigger d { when iff(driver.brake, ego.speed, 0) > 1 m/s }
trigger e { when percentile(ego.speed over 2 s) > 1 m/s }
trigger f { when contains(mode, "a") }
trigger g { when haversine(48.1, 11.5) < 3 km }
trigger h { when mode contains "a" }
trigger i { when coalesce(ego.speed, 0) > round(3) }
trigger j { when increased(ego.speed) or first(driver.brake) }
