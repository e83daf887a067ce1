trigger t {
    when abs(ego.accel) < 0 m/s^2 or 1 < 2
}
