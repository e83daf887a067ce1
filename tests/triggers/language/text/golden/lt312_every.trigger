trigger too_often {
    when every 100 ms
}
trigger often {
    when every 200 ms
}
trigger far {
    when every 5 km
}
