# Without a speed in the catalog the distance is the sum of great circles between positions.
trigger kilometre { when distance since a > 1 km }
trigger moves { when distance over 2 s > 300 m }
