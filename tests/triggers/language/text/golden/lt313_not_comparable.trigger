trigger t {
    when ego.speed == "fast"
}
