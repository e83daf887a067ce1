trigger t {
    when ego.coolant - ego.outside > 40 degC and -ego.coolant > 5 degC and ego.coolant - ego.outside > 40 K
}
