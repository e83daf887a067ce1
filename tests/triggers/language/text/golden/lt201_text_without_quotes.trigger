trigger t {
    when ego.gear == N or D == ego.gear or ego.gear in (R, X) or ego.gear == ego.gaer
}
