# What can be wrong about `x at A`, `x since A` and `time since A`.
trigger a_number { when ego.speed at ego.accel > 3 m/s }
trigger never { when time since true > 5 s }
trigger no_event { when time since }
trigger form { when avg(ego.speed since driver.override) > 3 m/s }
trigger two { when sum(ego.speed, ego.speed since driver.override) > 3 m/s }
trigger unit { when max(ego.speed since driver.override) > 30 }
trigger chained { when ego.speed at driver.override at driver.override > 30 m/s }
trigger a_text { when "P" at driver.override == "P" }
trigger duration { when time since driver.override > 3 m }
