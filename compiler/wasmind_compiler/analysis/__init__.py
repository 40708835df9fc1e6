"""What can be known about a system before it runs. Pure functions: data in, diagnostics out."""
