"""What environments would become, and what they are."""
