trigger t {
    when rate(ego.speed) < -2 m/s^2
}
