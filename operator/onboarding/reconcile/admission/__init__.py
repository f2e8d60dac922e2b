"""Resolve each declared environment to a candidate for admission."""
