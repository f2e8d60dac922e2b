"""Diff, prune and apply: the writes that bring the clusters to the plan."""
