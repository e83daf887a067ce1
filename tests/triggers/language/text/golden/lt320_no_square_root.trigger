trigger t {
    when sqrt(ego.speed) > 2
}
