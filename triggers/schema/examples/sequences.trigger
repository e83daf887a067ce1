# One thing after another, one thing without another, edges, and silence.

trigger braked_after_cut_in {
    when rise(shadow.cut_in.detected) then driver.brake within 2 s
}

trigger cut_in_without_braking {
    when rise(shadow.cut_in.detected) without driver.brake within 3 s
}

trigger reverse_to_drive {
    when changed(ego.gear) from "R" to "D" and once(lead.distance < 2 m over 5 s)
}

trigger lead_lost {
    when missing(lead.distance) for 2 s and ego.speed > 50 km/h
}
