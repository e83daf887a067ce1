trigger t {
    when delta(ego.coolant over 1 s) > 2 K
}
