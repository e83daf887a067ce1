trigger t {
    when not driver.brake for 2 s
}
