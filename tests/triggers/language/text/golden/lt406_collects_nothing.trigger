trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    budget 1 GB total

}
