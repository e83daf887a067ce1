trigger t {
    when ego.speed > 20 m
}
