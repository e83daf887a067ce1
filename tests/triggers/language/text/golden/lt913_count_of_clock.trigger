trigger joined {
    when count(every 1 s and driver.brake over 10 s) >= 3
}
trigger runs {
    when count((driver.brake for at most 1 s) and driver.override over 10 s) >= 3
}
trigger alone {
    when count(every 1 s over 10 s) >= 3
}
