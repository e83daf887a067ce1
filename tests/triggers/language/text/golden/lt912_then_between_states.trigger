trigger a { when ego.gear == "P" then ego.gear == "D" within 1 min }
trigger b { when ego.gear in ("P", "N") then ego.gear in ("R", "D") within 1 min }
trigger sound { when rise(ego.gear == "D") and once(ego.gear == "P" over 1 min) }
trigger taps { when driver.brake then not driver.brake within 1 s }
trigger stops { when ego.speed > 50 km/h then ego.speed < 5 km/h within 10 s }
trigger also { when missing(ego.speed) for 10 s then not missing(ego.speed) within 10 min }
trigger events { when changed(lead.id) then ego.accel < -2 m/s^2 within 2 s }
