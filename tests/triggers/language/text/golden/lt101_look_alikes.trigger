trigger t {
    when ego.accel < −3 m/s^2 and ego.speed ≥ 20 km/h × 2 or mode == ‘eco’
    cooldown 5 s;
}
trigger größe { when größe > 3 }
trigger bits { when status & 4 == 4 }
trigger words { when driver.brake && !engaged || ¬engaged }
trigger percent { when ego.speed % 2 > 1 m/s }
trigger hidden { when ego.speed​ > 3 m/s }
