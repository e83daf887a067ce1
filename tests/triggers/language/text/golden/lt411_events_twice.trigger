campaign c {
    compare cut_in.detected, events cut_in.detected within 1 s, events cut_in.detected within 2 s
    budget 1 GB total
}
