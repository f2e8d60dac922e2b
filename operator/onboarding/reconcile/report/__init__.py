"""What a pass says in the status."""
