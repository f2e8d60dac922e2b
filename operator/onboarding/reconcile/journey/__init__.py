"""The doors of the journey: checks, decisions, and how far a project has come."""
