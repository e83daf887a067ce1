trigger t {
    describe "Hard braking
    when driver.brake
}
