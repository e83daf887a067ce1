trigger t { when max(ego.speed since driver.brake and driver.override) > 3 m/s }
trigger u { when avg((driver.brake since driver.override or driver.brake) over 3 s) > 3 }
