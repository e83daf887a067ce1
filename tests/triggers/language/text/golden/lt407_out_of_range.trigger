trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    priority 101
    sample 2 in 4
    rollout 0 %
}
