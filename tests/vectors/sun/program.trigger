# Sun and solar time are unknown before 2000: such a recording has a clock of its own.
trigger unknown { when missing(sun_elevation) or missing(solar_time) }
trigger morning { when solar_time between 6 h and 9 h }
trigger low { when sun_elevation < 0 deg }
trigger exact { when solar_time == 7.5 h }
trigger high { when sun_elevation > 60 deg }
