"""The exact engine: one shift to proven optimality."""
