campaign c {
    compare cut_in.detect, ego.speed
    budget 1 GB total
}
