param limit = 20
let fast = ego.speed > limit
trigger t {
    when fast
}
