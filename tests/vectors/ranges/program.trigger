# A value outside its signal's range is unknown, whatever a host delivers; limits and derived signals follow.
trigger lost { when missing(speed) }
trigger moved { when changed(speed) }
trigger fast { when speed outside yellow }
trigger faster { when speed outside red }
trigger highest { when max(speed over 400 ms) == 200 km/h }
trigger odd_coolant { when coolant outside yellow and not coolant outside red }
trigger near { when headway outside red }
trigger long_near { when close }
trigger far { when missing(headway) }
trigger sampled { when age(speed) == 0 s }
