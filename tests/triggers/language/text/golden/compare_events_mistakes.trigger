campaign a {
    compare events cutin.detected within 1 s, events lead.distance within 1 s
    budget 1 GB total
}

campaign b {
    compare events cut_in.detected within 2 min, events cut_in.detected with driver.brakes within 1 s
    budget 1 GB total
}

campaign c {
    compare events cut_in.detected with ego.speed within 1 s,
        events override.seen with active.override.seen within 1 m
    budget 1 GB total
}
