trigger unseen {
    when driver.brake for at most 50 ms
}
trigger seen {
    when driver.brake for at most 100 ms
}
