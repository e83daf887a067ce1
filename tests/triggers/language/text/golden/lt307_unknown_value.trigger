trigger t {
    when ego.gear == "S"
}
