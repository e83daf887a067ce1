trigger t {
    when age(ego.speed + ego.speed) > 1 s
}
