trigger a { when ego.speed > 5. km/h or ego.speed > .5 km/h or ego.speed > 0x10 km/h or ego.speed > 1_000 km/h }
trigger b { when ego.speed => 3 km/h and ego.speed <> 5 km/h }
trigger c { when ego.speed > 1,5 km/h }
trigger d { when ego.speed > 20 km/h AND driver.brake }
trigger e { when driver.brake = true }
trigger f { when if ego.speed > 3 km/h then driver.brake within 2 s }
trigger g { when ego.coolant > 20 C }
trigger h { when ego.coolant > 0 }
let and = 3
campaign i { collect a budget 1 clips target vehicle.mass == 9007199254740993 or vehicle.hardware == 9223372036854775808 }
