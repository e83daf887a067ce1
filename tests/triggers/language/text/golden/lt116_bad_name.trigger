trigger HardBraking {
    when driver.brake
}
