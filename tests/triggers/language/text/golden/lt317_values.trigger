trigger a { when bits(lead.id, lead.id) == 4 }
trigger b { when changed(ego.speed) to ego.speed }
