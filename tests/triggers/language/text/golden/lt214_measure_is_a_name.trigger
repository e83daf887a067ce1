# `distance` is a name here, as it was before there was an odometer.
let distance = lead.distance
trigger name { when distance > 20 m and max(-distance over 5 s) < 3 m and avg(distance over 5 s) > 3 m }
trigger odometer { when distance since driver.override > 5 km }
trigger neither { when distance over 5 s > 20 m }
