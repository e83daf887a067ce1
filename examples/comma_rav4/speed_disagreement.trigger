# When two measurements of the same speed diverge, one of them is wrong.

trigger speed_disagreement {
    describe "Wheel speed and GNSS speed differ by more than 0.3 m/s for half a second."
    when divergence(speed.value) > 0.3 m/s for 500 ms
    cooldown 30 s
    capture 5 s before, 5 s after {
        signals ego.speed, gnss.*, active.speed.*, shadow.speed.*
    }
    tags "shadow", "speed"
}

trigger cruise_engaged {
    describe "The driver switches on the cruise control."
    when rise(ego.cruise.active)
    cooldown 1 min
    capture 5 s before, 5 s after {
        signals ego.cruise.active, gnss.latitude, gnss.longitude
    }
}

campaign speed_check {
    describe "Disagreement between wheel and satellite speed."
    collect speed_disagreement, cruise_engaged
    sample 1 in 2
    budget 5 MB per vehicle per day, 10 GB total
}
