trigger worse { when ego.tyre outside red }
trigger none { when ego.speed outside yellow for 2 s }
trigger computed { when abs(ego.coolant - ego.outside) outside red }
trigger truth { when driver.brake outside red }
