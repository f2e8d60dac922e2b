"""Evaluate the checks and decisions at each gate."""
