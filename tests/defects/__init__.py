"""Seeded defects: valid systems, mutations of them, and what the compiler should say about each."""
