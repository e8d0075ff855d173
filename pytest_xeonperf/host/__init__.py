"""What this machine is, what it can do, and getting it ready."""
