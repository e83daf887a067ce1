trigger clock {
    when every 10 min for 2 s
}
trigger run {
    when (driver.brake for at most 300 ms) for 1 s
}
