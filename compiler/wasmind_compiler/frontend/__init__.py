"""TOML files to typed tables: positions, schemas, the app config and the manifest."""
