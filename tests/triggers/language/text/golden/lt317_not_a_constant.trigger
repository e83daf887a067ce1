trigger t {
    when past(ego.speed, ego.speed) > 5 m/s
}
