language 2
import "common.trigger" as c

# The assistant: what it perceives and plans, against what happens and what its shadow says.

param steering_doubt = 5 deg
set lane_change = ("change_left", "change_right")

trigger phantom_braking {
    describe "The planner brakes hard for nothing: nobody is in the path, and the driver has not braked."
    when planner.brake < -3 m/s^2 for 200 ms
        and count(o in tracked where c.in_path(o.y) and o.x < 60 m) == 0
        and not once(driver.brake over 2 s)
    capture 5 s before, 3 s after {
        signals ego.*, tracked, planner.*, driver.*
        cameras front
    }
}

trigger steering_divergence {
    when divergence(steer.angle) > steering_doubt for c.hold and c.cruising
    capture 5 s before, 3 s after {
        signals ego.*, active.steer.*, shadow.steer.*
        cameras front
    }
}

trigger lane_change_aborted {
    when changed(planner.maneuver) to "abort" and prev(planner.maneuver) in lane_change
    capture 5 s before, 3 s after {
        signals ego.*, lead.*, lane.*, planner.*
        cameras front, rear
    }
}

trigger driver_overrides {
    describe "The driver accelerates or steers against a braking planner within 2 s."
    when planner.brake < -2 m/s^2
        then (driver.accel_pedal > 10 % or abs(driver.steer_torque) > 3 Nm) within 2 s
    capture 5 s before, 3 s after {
        signals ego.*, planner.*, driver.*
        cameras front
    }
}

trigger object_flickers {
    when flicker(active.object.present over 2 s) >= 6
    capture 5 s before, 3 s after {
        signals ego.speed, ego.latitude, ego.longitude, active.object.*, shadow.object.*
        cameras front
    }
}

trigger prediction_failed {
    describe "What was predicted 2 s ago for the lead is not what happened to it."
    when abs(past(shadow.lead.distance_in_2s, 2 s) - lead.distance) > 5 m for 200 ms
        and not once(changed(lead.id) over 2 s)
    capture 5 s before, 3 s after {
        signals ego.*, lead.*, shadow.lead.*
        cameras front
    }
}

campaign assistant {
    describe "Cases in which the assistant and the world disagree."
    collect
        phantom_braking,
        steering_divergence,
        lane_change_aborted,
        driver_overrides,
        object_flickers,
        prediction_failed
    compare object.present
    target vehicle.region == "EU" and vehicle.hardware >= 3
    rollout 1 % for 2 d, 100 %
    budget 40 MB per vehicle per day, 2 TB total
    upload on wifi
}
