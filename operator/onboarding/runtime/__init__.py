"""The running operator: Kopf's events, our queue, metrics and health."""
