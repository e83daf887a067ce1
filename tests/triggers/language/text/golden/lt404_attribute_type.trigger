trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    target vehicle.hardware >= "3" and vehicle.hardware in (3, 3.5)
}
