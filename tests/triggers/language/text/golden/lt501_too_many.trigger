trigger t {
    when count(driver.brake over 10 s) > 200000
}
