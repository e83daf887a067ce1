trigger t {
    when ego.coolant > 90 degC for 200 ms
}
