trigger t {
    when driver.brake for 0 s
}
