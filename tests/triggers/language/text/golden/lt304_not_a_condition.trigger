trigger t {
    when ego.speed and driver.brake
}
