"""The demo: one project goes from kubectl apply to Ready on a real control plane, before your eyes."""
