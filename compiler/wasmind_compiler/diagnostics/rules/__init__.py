"""The catalogue: one module per area, one constant per rule."""
