triger t {
    when driver.brake
}

let = 5
trigger u {
    when driver.brake
}
