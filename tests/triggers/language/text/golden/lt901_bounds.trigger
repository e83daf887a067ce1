trigger ratio { when share(driver.brake over 10 s) > 150 % }
trigger always { when share(driver.brake over 10 s) <= 1 ratio }
trigger never_items { when share(driver.brake over 10 s) in (50 %, 200 %) }
trigger beyond { when share(driver.brake over 10 s) between 2 ratio and 3 ratio }
trigger root { when sqrt(lead.id) < 0 }
trigger angle { when wrap(ego.heading) > 1 rad * 4 }
trigger old { when age(ego.speed) < 0 s }
trigger counted { when count(driver.brake over 2 s) == 2.5 }
trigger mean { when avg(abs(ego.accel) over 2 s) < -1 m/s^2 }
trigger square { when ego.accel * ego.accel < 0 or max(ego.fuel, 50 %) < 40 % }
trigger product { when 2 * share(driver.brake over 10 s) + 1 ratio > 3 ratio }
trigger apart { when divergence(lead.distance) < -abs(ego.speed) * 1 s }
trigger threshold { when hysteresis(share(driver.brake over 10 s), 110 %, 50 %) }
trigger edge { when rise(true) or changed(5) }
trigger nothing { when rise(share(driver.brake over 10 s) > 2 ratio) or driver.brake }
trigger saturated { when count(driver.brake over 1 h) * 1 > 1000 }
trigger also_saturated { when flicker(ego.gear over 1 h) - 1 >= 1000 }
trigger not_saturated { when count(driver.brake over 1 h) > 1000 or count(driver.brake over 1 h) * 2 > 1999 }
