trigger t {
    when driver.brake
    capture 50 s before, 20 s after
}
trigger fits {
    when driver.brake
    capture 40 s before, 20 s after
}
