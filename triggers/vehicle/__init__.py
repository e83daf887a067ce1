"""The software of a vehicle: check-in, trigger host, ring buffer, recorder, clip queue and uploader."""
