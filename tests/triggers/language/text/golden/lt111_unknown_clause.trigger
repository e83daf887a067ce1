trigger t {
    when driver.brake
    coldown 5 s
}
