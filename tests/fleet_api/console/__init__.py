"""The web console in a real Chromium, against a really running API."""
