trigger t {
    cooldown 5 s
}
