trigger t {
    when ego.speed > 20 km/h
}

campaign c {
    collect t
    budget 1 GB total
    target vehicle.software >= "v3.2.1" or vehicle.software in ("3.2", "3.2rc1", "latest") or
        vehicle.software between 3.2 and 4 or vehicle.software == true
}
