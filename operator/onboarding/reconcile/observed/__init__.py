"""A snapshot of what one reconcile looks at, and the caches that it is taken from."""
