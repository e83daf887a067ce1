# A text is the index into its values, a bool 0 or 1; on_change never expires; initial is not a sample.
trigger reverse { when gear == "R" and door }
trigger shifted { when changed(gear) }
trigger parked { when gear in ("P", "N") }
trigger dark { when lights != "off" }
trigger unbelted { when not belt }
trigger opened { when rise(door) }
trigger sampled { when not missing(age(door)) }
trigger other_kind { when disagree(kind) }
