trigger t {
    when driver.brake
    cooldown 5 m
    capture 5 km before, 2 s after
}
