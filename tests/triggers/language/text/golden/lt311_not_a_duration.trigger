trigger t {
    when driver.brake for 5 m
}
