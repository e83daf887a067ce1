campaign a { compare events cut_in.detected budget 1 GB total }

campaign b { compare events cut_in.detected with driver.brake, override.seen budget 1 GB total }

campaign c { compare events cut_in.detected within 5 budget 1 GB total }

campaign d { compare events cut_in.detected, driver.brake within 1 s budget 1 GB total }
