trigger a { when count(changed(lead.id) and driver.brake over 10 s) > 3 }
trigger b { when count((driver.brake then driver.override within 1 s) and ego.speed > 9 m/s over 10 s) > 3 }
trigger sound { when count(changed(lead.id) over 10 s) > 3 and once(driver.brake over 10 s) }
trigger states { when count(driver.brake and ego.speed > 9 m/s over 10 s) > 3 }
trigger change { when count(changed(ego.gear) from "P" and driver.brake over 10 s) > 3 }
