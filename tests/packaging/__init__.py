"""Tests of what installs Longtail: the Dockerfile, the systemd unit, the compose files."""
