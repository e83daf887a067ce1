trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    active 2027-01-31 to 2026-12-01
}
