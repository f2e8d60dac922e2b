"""Probes: questions to the outside world, asked beside the passes, each bounded in time, size and reach."""
