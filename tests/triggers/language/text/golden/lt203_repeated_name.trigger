trigger t {
    when driver.brake
}
trigger t {
    when driver.override
}
