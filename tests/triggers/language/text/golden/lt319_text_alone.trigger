trigger t {
    when "R" == "R"
}
