"""What an earlier version has left on a control plane, and what the present one makes of it."""
