trigger t {
    when ego.coolant + ego.outside > 100 degC
}
