trigger t {
    when ego.gear = "R"
}
