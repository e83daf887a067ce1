# What can be wrong about the sun.
trigger bare { when solar_time > 18 }
trigger wrong { when sun_elevation > 5 m }
trigger never { when sun_elevation > 91 deg }
trigger late { when solar_time > 25 h }
language 2
