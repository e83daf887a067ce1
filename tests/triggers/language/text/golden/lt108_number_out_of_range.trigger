trigger t {
    when ego.speed > 1e999 m/s
}
