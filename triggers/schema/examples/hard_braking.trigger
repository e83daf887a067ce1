# A window and a hold, and a campaign that collects what it finds.

trigger hard_braking {
    describe "Braking below -4 m/s^2 for 300 ms, above walking pace."
    when ego.accel < -4 m/s^2 for 300 ms and max(ego.speed over 2 s) > 10 km/h
    cooldown 30 s
    capture 8 s before, 4 s after {
        signals ego.*, driver.brake, lead.distance
        cameras front_main
    }
    tags "braking"
}

campaign braking_eu {
    collect hard_braking
    target vehicle.region == "EU" and vehicle.hardware >= 3
    rollout 1 % for 2 d, 10 % for 2 d, 100 %
    sample 1 in 4
    budget 20 MB per vehicle per day, 2 TB total, 30000 clips
    upload on wifi, up to 2 MB on cellular
}
