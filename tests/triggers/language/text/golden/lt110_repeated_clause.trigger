trigger t {
    when driver.brake
    cooldown 5 s
    cooldown 6 s
}
