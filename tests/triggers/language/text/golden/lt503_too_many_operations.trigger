# each operator is cheap, but there are many
let a0 = avg(ego.speed over 300 ms) + avg(ego.speed over 310 ms) + avg(ego.speed over 320 ms) + avg(ego.speed over 330 ms) + avg(ego.speed over 340 ms) + avg(ego.speed over 350 ms) + avg(ego.speed over 360 ms) + avg(ego.speed over 370 ms) + avg(ego.speed over 380 ms)
let a1 = avg(ego.speed over 400 ms) + avg(ego.speed over 410 ms) + avg(ego.speed over 420 ms) + avg(ego.speed over 430 ms) + avg(ego.speed over 440 ms) + avg(ego.speed over 450 ms) + avg(ego.speed over 460 ms) + avg(ego.speed over 470 ms) + avg(ego.speed over 480 ms)
let a2 = avg(ego.speed over 500 ms) + avg(ego.speed over 510 ms) + avg(ego.speed over 520 ms) + avg(ego.speed over 530 ms) + avg(ego.speed over 540 ms) + avg(ego.speed over 550 ms) + avg(ego.speed over 560 ms) + avg(ego.speed over 570 ms) + avg(ego.speed over 580 ms)
let a3 = avg(ego.speed over 600 ms) + avg(ego.speed over 610 ms) + avg(ego.speed over 620 ms) + avg(ego.speed over 630 ms) + avg(ego.speed over 640 ms) + avg(ego.speed over 650 ms) + avg(ego.speed over 660 ms) + avg(ego.speed over 670 ms) + avg(ego.speed over 680 ms)
let a4 = avg(ego.speed over 700 ms) + avg(ego.speed over 710 ms) + avg(ego.speed over 720 ms) + avg(ego.speed over 730 ms) + avg(ego.speed over 740 ms) + avg(ego.speed over 750 ms) + avg(ego.speed over 760 ms) + avg(ego.speed over 770 ms) + avg(ego.speed over 780 ms)
let a5 = avg(ego.speed over 800 ms) + avg(ego.speed over 810 ms) + avg(ego.speed over 820 ms) + avg(ego.speed over 830 ms) + avg(ego.speed over 840 ms) + avg(ego.speed over 850 ms) + avg(ego.speed over 860 ms) + avg(ego.speed over 870 ms) + avg(ego.speed over 880 ms)
let a6 = avg(ego.speed over 900 ms) + avg(ego.speed over 910 ms) + avg(ego.speed over 920 ms) + avg(ego.speed over 930 ms) + avg(ego.speed over 940 ms) + avg(ego.speed over 950 ms) + avg(ego.speed over 960 ms) + avg(ego.speed over 970 ms) + avg(ego.speed over 980 ms)
fence town { (48.00, 11.0), (48.11, 11.1), (48.02, 11.2), (48.13, 11.3), (48.04, 11.4), (48.15, 11.5), (48.06, 11.6), (48.17, 11.7), (48.08, 11.8), (48.19, 11.9), (48.10, 12.0), (48.21, 12.1), (48.12, 12.2), (48.23, 12.3) }

trigger busy {
    when a0 + a1 + a2 + a3 + a4 + a5 + a6 > 100 m/s and inside(town)
}

campaign all { collect busy budget 1 clips }
