# What can be wrong about `distance over W` and `distance since A`.
trigger no_length { when distance over 30 s > 20 }
trigger no_window { when distance over 500 > 20 m }
trigger short { when distance over 20 ms > 20 m }
trigger no_time { when distance over 5 km > 20 m }
trigger alone { when distance > 20 m }
trigger no_event { when distance since ego.speed > 20 m }
trigger of_itself { when max(distance over 5 s) > 20 m }
trigger often { when every 20 m }
trigger rarely { when every 10000 km }
