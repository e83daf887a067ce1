"""What the reference interpreter knows of the Earth: the odometer, the sun, and the trigonometry that they need."""
