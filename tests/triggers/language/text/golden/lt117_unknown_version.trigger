language 3
trigger t { when ego.speed > 5 m/s }
