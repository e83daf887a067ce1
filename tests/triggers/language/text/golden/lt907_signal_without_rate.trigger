trigger t {
    when ego.tyre > 2 bar
}
