# What the demonstration watches for in the generated drives.
param hold = 300 ms
let driving = ego.speed > 20 km/h
let missed(active, shadow) = shadow > 0.7 and active < 0.3

trigger hard_braking {
    describe "The driver brakes hard."
    when ego.accel < -3 m/s^2 for hold
    cooldown 60 s
    capture 5 s before, 3 s after {
        signals ego.*, driver.*, lead.*, active.cut_in.*, shadow.cut_in.*
        cameras front_main
    }
    tags "braking"
}

trigger cut_in_missed {
    describe "A neighbour cuts in; only the shadow network sees it."
    when missed(active.cut_in.prob, shadow.cut_in.prob) for hold and driving
    cooldown 5 s
    capture 6 s before, 4 s after {
        signals ego.*, lead.*, active.cut_in.*, shadow.cut_in.*
        cameras front_main
    }
    tags "cut-in", "shadow"
}

trigger speed_disputed {
    describe "The shadow network reads the speed otherwise than the wheels, with the wipers on."
    when abs(shadow.speed.value - active.speed.value) > 1 m/s for 500 ms and weather.wiper in ("slow", "fast")
    cooldown 10 s
    capture 3 s before, 2 s after {
        signals ego.*, active.speed.*, shadow.speed.*, weather.*
        cameras front_main
    }
    tags "odometry", "shadow"
}

trigger standstill {
    describe "The car has come to a stop."
    when rise(ego.speed < 0.3 m/s) and driver.brake
    cooldown 10 s
    capture 2 s before, 2 s after { signals ego.*, driver.*, lead.* }
}

trigger braking_begins {
    describe "Every touch of the brake at speed: far more than anybody needs, so it is sampled."
    when rise(driver.brake) and driving
    cooldown 3 s
    capture 2 s before, 2 s after { signals ego.*, driver.*, lead.* }
}

campaign emergencies {
    describe "Hard braking and stops, everywhere."
    collect hard_braking, standstill
    budget 50 MB per vehicle per day, 1 GB total
    upload on wifi
    priority 80
}

campaign shadow_network {
    describe "Where shadow and active network disagree."
    collect cut_in_missed, speed_disputed
    compare cut_in.detected
    target vehicle.hardware >= 3 and vehicle.region in ("EU", "UK")
    budget 300 kB per vehicle per day then drop, 100 MB total
    upload on wifi
    priority 60
}

campaign everyday_braking {
    describe "A third of all ordinary braking, for comparison."
    collect braking_begins
    sample 1 in 3
    budget 2 MB per vehicle per day then drop, 500 clips
    upload on wifi
    priority 20
}
