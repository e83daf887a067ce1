trigger sums {
    when sum(abs(ego.accel) over 2 s) < 0 m/s^2 or integral(abs(ego.accel) over 2 s) < 0 m/s
}
trigger spreads {
    when std(ego.speed over 2 s) < 0 m/s or std(wrap(ego.heading) over 2 s) > 181 deg
}
trigger fills {
    when samples(ego.speed over 2 s) < 0 or samples(ego.speed over 2 s) == 2.5 or samples(ego.speed over 1 s) > 10000
}
