trigger a { when min(ego.speed) > 1 m/s }
trigger b { when clamp(ego.speed, 5 m/s) > 1 m/s }
trigger c { when if(driver.brake, ego.speed) > 1 m/s }
trigger d { when ego.gear from "P" to "R" }
trigger e { when rise(driver.brake) to true }
trigger f { when prev(ego.speed over 2 s) > 1 m/s }
