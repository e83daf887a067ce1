# An active and a shadow head: where they differ, and counts without any upload.

trigger cut_in_missed {
    describe "The shadow head sees a cut-in that the active one does not."
    when (shadow.cut_in.prob > 0.7 and active.cut_in.prob < 0.3) for 300 ms and ego.speed > 20 km/h
    cooldown 60 s
    capture 8 s before, 4 s after {
        signals ego.*, active.cut_in.*, shadow.cut_in.*
    }
}

trigger cut_in_disagreement {
    when disagree(cut_in.detected) for 500 ms
    capture 5 s before, 5 s after {
        signals ego.*, active.cut_in.*, shadow.cut_in.*
    }
}

campaign cut_in {
    collect cut_in_missed, cut_in_disagreement
    compare cut_in.detected
    budget 5 MB per vehicle per day, 10 GB total
}
