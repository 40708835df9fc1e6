"""The lean runtime: executes plans, never reads TOML, never fetches."""
