# Places, the sun, limits that the catalog declares, and distance.
fence munich { (48.06, 11.36), (48.25, 11.36), (48.25, 11.72), (48.06, 11.72) }

trigger fast_at_night_in_town {
    when (inside(munich) and sun_elevation < -6 deg and ego.speed > 80 km/h) for 2 s
    cooldown 10 min
}

trigger near_the_depot {
    when near(48.137, 11.575, 500 m) and distance over 1 min > 500 m
}

trigger overheated {
    when ego.coolant outside red for 10 s
    cooldown 1 h
}
