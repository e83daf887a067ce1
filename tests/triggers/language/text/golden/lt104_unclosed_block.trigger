trigger a {
    when driver.brake

trigger t {
    when driver.override
}
