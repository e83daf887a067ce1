trigger a {
    when ego.speed > 20 km/h
    budget 5 clips, 6 clips, 3 m total, 1 GB per vehicle per day then drop, 1 clips per vehicle per day then keep
}

trigger b {
    when ego.speed > 20 km/h
    budget
}

campaign c {
    collect a, b
}
