# Rows of equal time are one row, in which a signal's last sample wins; the newest waits until it is whole.
trigger x_rises { when x > 0.5 }
trigger both { when x > 0.5 and y > 0.5 }
trigger unequal { when x != y }
