trigger t {
    when disagree(override.seen)
}

campaign c {
    collect t
    compare override.seen
    budget 1 GB total
}
