trigger a { when sign(ego.coolant) == 1 }
trigger b { when mod(ego.coolant, 5 degC) > 1 degC }
trigger c { when approx(ego.coolant, ego.outside, 2 degC) }
