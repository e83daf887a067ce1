# disagree and divergence look at two signals where their samples lie within the skew, and keep that value.
trigger apart { when divergence(lead.distance) > 5 m for 100 ms }
trigger near_in_time { when divergence(active.lead.distance, shadow.lead.distance within 5 ms) > 5 m }
trigger other { when disagree(lead.seen) }
trigger stale { when missing(divergence(lead.distance)) }
