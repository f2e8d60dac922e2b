"""The status that a reconcile writes."""
