"""What runs on a vehicle: check-in, trigger host, ring buffers, recorder, queue and uploader."""
