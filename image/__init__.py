"""Build the container image without a container engine, weigh it, and try it against a control plane."""
