let hard(a, b) = a < b for 300 ms
let held(p, d) = p for d
let loose(p, rest) = p
let min(a) = a
let twice(a, a) = a + a
let clash(hard, ego) = ego > 1 m/s
let plain = ego.speed > 1 m/s
let first(x) = second(x) or plain
let second(x) = third(x)
let third(x) = first(x)

trigger units { when hard(ego.speed, -4 m/s^2) }
trigger again { when hard(ego.speed, -4 m/s^2) and hard(ego.accel, 3 rad) }
trigger few { when hard(ego.accel) }
trigger many { when held(plain, 1 s, 2 s) }
trigger bare { when held or plain(1) }
trigger windowed { when hard(ego.accel, -4 m/s^2 over 2 s) }
trigger misspelt { when hrad(ego.accel, -4 m/s^2) or loose(plain, 1) }
trigger duration { when held(plain, ego.speed) or held(plain, hodl) or held(plain, 2 s + 1 s) }
trigger circle { when first(1) }
