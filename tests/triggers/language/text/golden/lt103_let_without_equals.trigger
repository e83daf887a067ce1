let fast ego.speed > 30 m/s
let slow = ego.speed <
trigger t {
    when fast and not slow or fats
}
