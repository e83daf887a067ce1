trigger t {
    when ego.speed > 5 m/s && driver.brake;
}
