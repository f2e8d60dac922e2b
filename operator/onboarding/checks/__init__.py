"""Pure checks: the declared and observed inputs of an environment in, at most one finding out."""
