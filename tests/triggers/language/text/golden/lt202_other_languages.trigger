trigger a { when std(ego.speed over 2 s) > 1 m/s }
trigger b { when sum(ego.speed over 2 s) > 1 m/s }
trigger c { when prev(ego.speed) > 1 m/s }
trigger d { when if(driver.brake, ego.speed, 0) > 1 m/s }
trigger e { when median(ego.speed over 2 s) > 1 m/s }
trigger f { when contains(mode, "a") }
trigger g { when distance(48.1, 11.5) < 3 km }
trigger h { when mode contains "a" }
