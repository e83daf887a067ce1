trigger a {
    when ego.speed > 20 km/h
    sample 2 in 4
    priority 101
}

trigger b {
    when ego.speed > 20 km/h
    sample 1 of 4
    priority
}

trigger c {
    when ego.speed > 20 km/h
    sample 1 in 0
    priority 5 %
    priority 3
    rollout 10 %
}
