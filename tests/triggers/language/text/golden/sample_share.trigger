trigger t {
    when ego.speed > 20 km/h
}
campaign c {
    collect t
    sample 0.5
    budget 1 GB total
}
