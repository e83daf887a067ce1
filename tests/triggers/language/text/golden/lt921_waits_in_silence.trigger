trigger a { when driver.brake without lead.distance < 60 m within 2 s }
let close = lead.distance < 60 m
trigger b { when driver.brake without (close and ego.speed > 5 m/s) within 2 s }

# these say what silence means, or wait for what is always sent
trigger c { when driver.brake without (not missing(lead.distance) and lead.distance < 60 m) within 2 s }
trigger d { when driver.brake without driver.override within 2 s }
trigger e { when lead.distance < 60 m without driver.brake within 2 s }

# this keeps its value in silence
trigger f { when driver.brake without max(ego.speed since driver.override) > 9 m/s within 2 s }
