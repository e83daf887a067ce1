language 2
# With the header, the words of the language mean themselves.
let distance = lead.distance
let solar_time = ego.speed
trigger odometer { when distance over 5 s > 20 m }
trigger sun { when solar_time > 22 m/s }
