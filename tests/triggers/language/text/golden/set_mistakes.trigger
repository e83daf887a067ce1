param reverse = "R"
set rare = ("P", reverse, "N")
set fast = (20 km/h, -3 m/s, true)
set wrong = ("PP", "R")
set none = ()
set mixed = (unknown, "R")
set open = ("P"
let parked = ego.gear in rare

trigger value { when ego.gear == rare }
trigger other { when ego.gear in reverse or ego.gear in parked or ego.speed in ego.speed }
trigger misspelt { when ego.gear in rar }
trigger used { when ego.speed in fast or ego.gear in wrong or ego.gear in none or ego.gear in mixed or ego.gear in open }
