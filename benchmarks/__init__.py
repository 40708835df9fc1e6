"""Measurements of speed and size, each beside something it can be compared to."""
