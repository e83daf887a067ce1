trigger right {
    when driver.brake since driver.override and ego.speed > 5 m/s
}
trigger left {
    when driver.brake or driver.override since rise(driver.override) within 5 s
}
trigger plain {
    when (driver.brake or driver.override) since rise(driver.override)
}
