"""From an actor's folder to what can be run: components, and code objects of Python actors."""
