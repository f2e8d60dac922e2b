"""One frozen plan per environment, and the plan of the reconcile."""
