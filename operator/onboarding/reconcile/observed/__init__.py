"""The snapshot of one reconcile, and the caches that it is taken from."""
