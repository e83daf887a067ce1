trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    rollout 10 % for 2 d, 5 %, 100 %
}
