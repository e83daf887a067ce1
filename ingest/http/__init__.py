"""What the API and the gateway have in common as HTTP applications."""
