trigger t {
    when ego.fuel < 0.1 or ego.fuel < 10 %
}
