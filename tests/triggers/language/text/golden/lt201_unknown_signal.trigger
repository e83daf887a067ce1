trigger t {
    when ego.sped > 20 km/h
}
trigger u {
    when hour > 18
}
