trigger t {
    when driver.brake for 2
}
