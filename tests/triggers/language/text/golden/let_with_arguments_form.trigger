let none() = ego.speed > 1 m/s
let Bad(x) = x
let for(x) = x
let open(x = x
let dotted(ego.speed) = 1
let broken(x) = x >
trigger t { when broken(ego.speed) }
