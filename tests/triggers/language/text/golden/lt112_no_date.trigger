trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    active 2026-02-30 to 2026-12-31
}
