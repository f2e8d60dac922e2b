"""One reconcile of one project: snapshot, plan, diff, apply, status."""
