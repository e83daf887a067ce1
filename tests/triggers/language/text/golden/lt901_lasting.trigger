trigger since_never {
    when driver.brake since (ego.speed > 5 m/s and ego.speed < 3 m/s)
}
trigger since_always {
    when driver.brake since (ego.speed > 3 m/s or ego.speed < 5 m/s)
}
trigger latch_of_opposites {
    when latch(ego.speed > 5 m/s, ego.speed > 5 m/s) and ego.speed > 6 m/s
}
trigger latch_set_by_nothing {
    when latch(true, driver.brake)
}
trigger run_that_never_ends {
    when (ego.speed > 3 m/s or ego.speed < 5 m/s) for at most 2 s
}
trigger run_of_a_constant {
    when true for at most 2 s
}
trigger since_a_constant {
    when driver.brake since true
}
