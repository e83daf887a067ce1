trigger small { when ego.speed > 50 km/h capture 0 s before, 100 ms after }
trigger large { when ego.speed > 50 km/h }
campaign day { collect small, large budget 5 kB per vehicle per day, 1 GB total }
campaign none { collect small, large budget 1 kB total, 1 MB per vehicle per day }
campaign fine { collect small, large budget 1 MB total, 30 clips }
