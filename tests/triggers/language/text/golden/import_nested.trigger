import "a.trigger" as a
trigger t { when a.p }
file "a.trigger" {
    let p = ego.speed > 1 m/s
    file "b.trigger" { let a = 1 }
}
