"""From an actor's folder to what a bundle holds of it."""
