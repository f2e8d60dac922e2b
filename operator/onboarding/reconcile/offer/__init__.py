"""What the platform offers, and whether it can be used."""
