language 2
# No word of a file's own hides what the language measures.
param distance = 5 m
param solar_time = 5 h
set time = ("R", "N")
let sun_elevation = ego.accel
trigger t { when solar_time > 3 h }
