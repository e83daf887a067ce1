# near and inside look at the catalog's position; unknown where one of its coordinates is.
fence triangle { (48.0, 11.0), (48.0, 11.5), (48.5, 11.0) }
trigger around { when near(48.137, 11.575, 2 km) }
trigger within { when inside(triangle) }
trigger left { when fall(inside(triangle)) }
trigger lost { when missing(inside(triangle)) }
