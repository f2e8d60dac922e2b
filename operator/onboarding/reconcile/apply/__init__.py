"""Differences, and the writes that end them."""
