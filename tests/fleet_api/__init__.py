"""Tests of fleet_api."""
