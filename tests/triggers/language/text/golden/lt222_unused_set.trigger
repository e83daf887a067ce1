# A set that nothing uses is checked, too, and one that is used is told once.
param hold = 300 ms
set fine = (hold, 2 s)
set rare = (hodl, nothing, ego.speed, fine)
set used = (nowhere)

trigger a { when ego.speed in used or ego.accel in used }
