trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t

}
