"""The reliability run: see docs/soak.md."""
