trigger a { when default(ego.speed, false) > 1 m/s }
trigger b { when if(driver.brake, ego.gear, 3) == "P" }
