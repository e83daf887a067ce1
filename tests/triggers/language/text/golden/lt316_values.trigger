trigger a { when clamp(ego.speed, 20 m/s, 10 km/h) > 1 m/s }
trigger b { when mod(ego.heading, 0) > 1 deg }
trigger c { when bits(lead.id, 4.5) == 4 }
trigger d { when bits(lead.id, 9007199254740992) == 0 }
trigger e { when bits(-1, 3) == 3 }
