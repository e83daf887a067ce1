trigger t {
    when hysteresis(ego.speed, 5 m/s, 18 km/h)
}
