let a = not b
let b = not a
trigger t {
    when a
}
