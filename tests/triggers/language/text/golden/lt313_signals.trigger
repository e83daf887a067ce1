trigger t {
    when driver.brake > 3 or 1 == driver.brake or ego.gear > 3 or ego.speed == true or (not driver.brake) > 1
}
