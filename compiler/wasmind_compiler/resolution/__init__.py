"""From names and sources to the actors of a system, and the lockfile that pins them."""
