trigger a {
    when ego.speed > > 5 m/s
    cooldown 5 s
    capture 5 s befor, 5 s after {
        signals ego.*
    }
    tags "x"
}

trigger b {
    when ego.speeed > 5 m/s
}

campaign c {
    collect a, bb
    budget 20 MB per vehicle
    priority high
}
