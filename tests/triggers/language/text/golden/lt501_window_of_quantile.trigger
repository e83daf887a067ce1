trigger t {
    when quantile(ego.speed over 30 min, 90 %) > 30 m/s and median(ego.speed over 27 min) > 20 m/s
}
