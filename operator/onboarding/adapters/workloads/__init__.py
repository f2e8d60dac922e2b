"""What runs in the namespace of an environment: a probe that lists, and never watches."""
