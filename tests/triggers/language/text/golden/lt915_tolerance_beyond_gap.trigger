trigger a { when driver.brake for 10 s tolerating 5 s }
trigger sound { when driver.brake for 10 s tolerating 2 s }
