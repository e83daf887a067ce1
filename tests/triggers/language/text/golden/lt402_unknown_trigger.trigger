trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect tt
    budget 1 GB total

}
