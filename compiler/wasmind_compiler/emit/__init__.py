"""What a linked system is turned into: lockfile, run plan, picture, bundle."""
