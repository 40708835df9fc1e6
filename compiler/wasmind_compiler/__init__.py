"""The compiler: TOML and actor sources in, bundles out."""
