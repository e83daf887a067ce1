trigger t {
    when share(driver.override over 10 s) > 50 %
}
