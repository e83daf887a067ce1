trigger t {
    when raise(driver.brake)
}
