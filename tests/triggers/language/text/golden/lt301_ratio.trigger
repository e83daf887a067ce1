trigger t { when share(driver.brake over 5 s) > 0.5 }
trigger u { when ego.accel ** 2 > 3 }
trigger v { when distance > 3 m }
