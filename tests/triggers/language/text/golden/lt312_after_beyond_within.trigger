trigger never {
    when driver.override then driver.brake after 5 s within 2 s
}
trigger once {
    when driver.override then driver.brake after 2 s within 2 s
}
