trigger t {
    when max(ego.tyre over 10 s) > 2 bar
}
