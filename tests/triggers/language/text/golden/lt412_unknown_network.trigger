trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    upload on lte
}
