trigger no_most {
    when driver.brake for at 2 s
}
trigger no_within {
    when driver.override then driver.brake after 2 s
}
trigger after_without {
    when driver.override without driver.brake after 2 s within 5 s
}
trigger no_unit {
    when every 5
}
trigger names {
    when every > 5
}
