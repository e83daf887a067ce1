trigger a { when ego.speed > 20 kph }
trigger b { when ego.accel > 2 m/s2 }
trigger c { when ego.accel > 2 m/s² }
trigger d { when ego.heading > 20° for 5 µs }
trigger e { when share(driver.brake over 5 s) > 20 percent }
trigger f { when ego.speed > 3 m2 }
