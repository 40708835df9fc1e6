"""Write Wasmind actors in Python."""
