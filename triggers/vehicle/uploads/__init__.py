"""Uploads from the vehicle to the gateway: the clip queue, the uploader, the tus client."""
