"""Tests of `longtail cost` of a deployment."""
