trigger t {
    when driver.brake
    capture 5 s before, 5 s after {
        signals eco.*
    }
}
