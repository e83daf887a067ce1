trigger t {
    when 5 m/s < ego.speed < 10 m/s
}
