# Between rows a program ticks at multiples of 100 ms: holds are fulfilled there, samples expire there.
trigger held { when slow > 0.5 for 350 ms }
trigger expired { when missing(slow) }
trigger late { when age(slow) > 750 ms }
