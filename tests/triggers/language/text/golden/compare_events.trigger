campaign c {
    compare cut_in.detected, events cut_in.detected with driver.override within 1 s
    budget 1 GB total
}
