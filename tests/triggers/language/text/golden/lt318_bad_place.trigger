fence small { (48, 11), (49, 11) }
trigger t {
    when inside(small) and near(95, 11, 500 m) and near(48, 11, 200 km)
}
