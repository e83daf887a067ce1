trigger a { when max(sign.limit over 10 s) > 50 km/h }
trigger b { when avg(sign.limit over 10 s) - sign.limit > 10 km/h }
trigger sound { when past(sign.limit, 10 s) > 50 km/h and max(ego.speed - sign.limit over 10 s) > 5 km/h }
