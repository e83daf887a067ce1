trigger t {
    when ego.speed / 0 > 5 m/s
}
