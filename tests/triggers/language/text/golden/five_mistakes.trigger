# Five mistakes, each with its own diagnostic.
let fast = ego.speed > 100

trigger a {
    describe "Tailgating.
    when lead.distnace < 10 m and fast
    cooldown 60
}

trigger b {
    when rise(ego.gear)
}
