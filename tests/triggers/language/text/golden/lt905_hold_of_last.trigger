trigger t {
    when driver.override and driver.brake for 2 s
}
