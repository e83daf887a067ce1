trigger a {
    when ego.speed > 20 km/h
    capture 5 s before, 5 s after { signals ego.*, ego.latitude, ego.longitude }
    budget 100 B per vehicle per day, 5 clips
}

campaign c {
    collect a
    budget 1 GB total
}
