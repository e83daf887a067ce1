trigger a { when ego.speed > 1e308 m/s or ego.speed < 5e-324 m/s or ego.speed > 1.7976931348623157e308 m/s }
trigger b { when ego.speed > 1e309 m/s }
trigger c { when ego.speed > 1e-325 m/s }
trigger d { when lead.id == 9007199254740993 }
trigger e { when lead.id in (9007199254740992, 1e23, -9223372036854775807) }
