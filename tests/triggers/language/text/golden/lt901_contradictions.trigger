trigger both { when ego.speed > 50 km/h and ego.speed < 10 m/s }
trigger reversed { when ego.speed between 50 km/h and 30 km/h }
trigger either { when ego.speed > 30 km/h or ego.speed < 40 km/h }
trigger gears { when ego.gear == "P" and ego.gear in ("R", "N") }
trigger all_gears { when ego.gear in ("P", "R", "N", "D") }
trigger not_itself { when driver.brake and not driver.brake }
trigger order { when lead.distance > active.lead.distance and lead.distance < active.lead.distance }
trigger same { when lead.id != lead.id }
trigger far { when not (ego.fuel > 10 %) and ego.fuel > 20 % for 1 s }
trigger whole { when count(driver.brake over 2 s) > 3 and count(driver.brake over 2 s) < 4 }
trigger sound { when ego.speed > 10 m/s and ego.speed < 50 km/h or ego.gear != "P" and driver.brake }
