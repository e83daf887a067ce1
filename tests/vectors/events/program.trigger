# `compare events` matches rises of active, shadow and driver; what could not be seen is unresolved.
trigger shadow_alone { when shadow.cut_in.detected and not active.cut_in.detected }
campaign cut_in {
    collect shadow_alone
    compare cut_in.detected, events cut_in.detected with driver.brake within 400 ms
    budget 100 clips
}
