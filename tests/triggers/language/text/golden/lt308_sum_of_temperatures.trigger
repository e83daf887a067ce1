trigger t {
    when sum(ego.coolant over 10 s) > 100 degC and integral(ego.coolant over 10 s) > 100 degC
        and std(ego.coolant over 10 s) > 3 K
}
