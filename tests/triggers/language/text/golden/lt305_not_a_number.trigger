trigger t {
    when abs(driver.brake) > 1
}
