trigger outside {
    when quantile(ego.speed over 2 s, 0) > 1 m/s or quantile(ego.speed over 2 s, 95) > 1 m/s
        or quantile(ego.speed over 2 s, 1 s) > 1 m/s or quantile(ego.speed over 2 s, 0.1234567891) > 1 m/s
}
trigger varying {
    when quantile(ego.speed over 2 s, ego.fuel) > 1 m/s or quantile(ego.speed over 2 s, "P") > 1 m/s
}
trigger form {
    when quantile(ego.speed over 2 s) > 1 m/s or quantile(ego.speed, 0.5 over 2 s) > 1 m/s
        or median(ego.speed over 2 s, 0.5) > 1 m/s or median(ego.gear over 2 s) > 1 or avg(ego.speed) > 1 m/s
}
trigger right {
    when quantile(ego.speed over 2 s, 95 %) > quantile(ego.speed over 2 s, 2 / 3)
        and quantile(ego.coolant over 10 s, 1) > 90 degC and median(wrap(ego.heading) over 2 s) > 181 deg
}
