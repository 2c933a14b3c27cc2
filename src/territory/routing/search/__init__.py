"""Ruin and recreate over one routing problem, compiled."""
