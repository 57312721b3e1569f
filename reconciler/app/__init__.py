"""Use cases, a file for each group; ``wiring`` alone picks implementations."""
