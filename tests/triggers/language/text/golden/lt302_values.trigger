trigger a { when floor(lead.distance) > 2 }
trigger b { when floor(ego.coolant) > 2 }
trigger c { when bits(ego.speed + 1 m/s, 3) == 1 }
trigger d { when min(ego.speed, 5 m/s, lead.distance) > 1 m/s }
trigger e { when clamp(ego.speed, 0, 5 s) > 1 m/s }
trigger f { when mod(ego.speed, 5 m) > 1 m/s }
trigger g { when approx(ego.speed, lead.distance, 1 m) }
trigger h { when if(driver.brake, ego.speed, lead.distance) > 1 m/s }
