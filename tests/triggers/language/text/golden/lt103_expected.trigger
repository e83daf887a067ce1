trigger t {
    when ego.speed >
    cooldown 5 s
}
