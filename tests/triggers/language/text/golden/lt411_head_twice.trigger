campaign c {
    compare cut_in.detected, cut_in.detected
    budget 1 GB total
}
