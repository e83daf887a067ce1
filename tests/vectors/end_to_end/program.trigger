
trigger hard_brake {
    when ego.brake > 50 %
    cooldown 4 s
    capture 3 s before, 2 s after { signals ego.brake, ego.speed, ego.wipers }
}
trigger standstill {
    when ego.speed < 0.5 m/s for 1 s
    capture 1 s before, 3 s after { signals ego.speed cameras front }
}
trigger too_close {
    when any(o in tracked where o.x < 5 m for 300 ms)
    capture 1 s before, 1 s after { signals ego.speed, tracked }
    sample 1 in 1
}
campaign end_to_end {
    collect hard_brake, standstill, too_close
    sample 1 in 2
    budget 10 MB per vehicle per day, 1 GB total
    upload on wifi, up to 2 MB on cellular
    priority 60
}
