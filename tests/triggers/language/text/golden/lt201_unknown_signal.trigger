trigger t {
    when ego.sped > 20 km/h
}
