import "common.trigger" as c
import "short.trigger" as s
trigger fast { when c.far or c.near or every s.period }

file "common.trigger" {
    let far = ego.speed >
}
file "short.trigger" {
    fence yard { (48.06, 11.36), (48.25, ) }
    let far = ego.speed > 1 m/s oops }
file "period.trigger" { param period = 10 min }
let far = ego.spede > 1 m/s
