param hold = -3 s
param step = 100 ms
trigger negative { when driver.brake for hold }
trigger short { when every step }
