trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 20 MB per vehicle per day then drop, 20 clips per vehicle per day then keep
}

campaign d {
    collect t
    budget 20 clips per vehicle per day, 2 clips per vehicle per day, 2.5 clips per vehicle per day
}
