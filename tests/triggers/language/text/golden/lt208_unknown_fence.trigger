fence munich { (48.06, 11.36), (48.25, 11.36), (48.25, 11.72) }
trigger t {
    when inside(munch)
}
