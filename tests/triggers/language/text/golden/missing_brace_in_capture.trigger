trigger t {
    when driver.brake
    capture 5 s before, 5 s after {
        signals ego.speed
    cooldown 5 s
}
trigger u {
    when driver.brak
}
