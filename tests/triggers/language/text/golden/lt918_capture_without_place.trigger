trigger a { when ego.speed > 50 km/h capture 5 s before, 5 s after { signals ego.speed, lead.* } }
trigger b { when ego.speed > 50 km/h capture 5 s before, 5 s after { signals ego.speed, ego.latitude } }
trigger sound { when ego.speed > 50 km/h capture 5 s before, 5 s after { signals ego.* } }
trigger short { when ego.speed > 50 km/h }
campaign c { collect a, b, sound, short budget 1 clips }
