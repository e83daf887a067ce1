"""From a clip on the vehicle to the gateway: the queue, the uploader, the tus client."""
