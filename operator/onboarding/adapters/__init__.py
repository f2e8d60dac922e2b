"""The edges: cluster clients, informers and probes; each implements a port of the pass."""
