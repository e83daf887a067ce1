# run stops where its fire buffer might not hold a block's fires, even before its first row: call it again.
trigger above_1 { when x > 1 }
trigger held_1 { when x > 1 for 90 ms }
trigger above_2 { when x > 2 }
trigger held_2 { when x > 2 for 180 ms }
trigger above_3 { when x > 3 }
trigger held_3 { when x > 3 for 270 ms }
trigger above_4 { when x > 4 }
trigger held_4 { when x > 4 for 360 ms }
