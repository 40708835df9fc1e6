"""WM16: key bindings of the terminal interface."""
