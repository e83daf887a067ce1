trigger t {
    when rise(driver.brake) for 2 s
}
