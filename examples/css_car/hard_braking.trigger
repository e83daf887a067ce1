# Hard braking, from a speed that is sampled twice per second: a window of 1.5 s always holds three samples, so the rate is
# measured over one second despite jitter. The hold prevents a single jump of the quantised speed from firing.

param hold = 500 ms

trigger hard_braking {
    describe "Braking below -2 m/s^2 for half a second."
    when rate(ego.speed over 1.5 s) < -2 m/s^2 for hold
    cooldown 10 s
    capture 8 s before, 4 s after {
        signals ego.*, gnss.*
    }
    tags "hard-braking"
}

campaign hard_braking_eu {
    describe "Hard braking in traffic, to see what the vehicle reacted to."
    collect hard_braking
    target vehicle.region == "EU"
    budget 20 MB per vehicle per day, 2 GB total, 1000 clips
    upload on wifi, up to 2 MB on cellular
    priority 70
}
