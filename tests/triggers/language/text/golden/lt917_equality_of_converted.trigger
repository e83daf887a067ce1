trigger a { when active.lead.distance == shadow.lead.distance }
trigger b { when missing(lead.distance) or active.lead.distance in (lead.distance, shadow.lead.distance) }
trigger sound { when active.lead.distance == lead.distance or shadow.lead.distance == 3 m }
