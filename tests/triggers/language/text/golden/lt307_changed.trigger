trigger a { when changed(ego.gear) from "P" to "X" }
trigger b { when changed(ego.gear) to D }
