trigger t {
    when rise(driver.brake) then driver.override within 2 s or driver.brake
}

trigger u {
    when driver.brake for 2 s == true
}
