trigger t {
    whn ego.speed > 20 km/h
}

campaign c {
    colect t
    budget 1 GB total
}

campaign d {
    collect t
    budgt 1 GB total
}
