trigger a {
    when ego.speed > 3 m/s
    capture 5 s before, 5 s after {
        signals ego.*
        cameras *
    }
    tags "a"
}

campaign c {
    collect a
    compare *
    budget 10 clips
}
