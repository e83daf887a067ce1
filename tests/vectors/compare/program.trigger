# `compare` counts once a new pair: active and shadow false or true, and pairs that were unknown.
trigger shadow_alone { when shadow.cut_in.detected and not active.cut_in.detected }
campaign cut_in {
    collect shadow_alone
    compare cut_in.detected
    budget 100 clips
}
