# A hold is fulfilled once its condition has been true long enough; a rise during the cooldown is suppressed.
trigger braking {
    when (brake > 30 % for 100 ms) and speed > 20 km/h
    cooldown 1 s
}
trigger pressed { when rise(brake > 80 %) }
