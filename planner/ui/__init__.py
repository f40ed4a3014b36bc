"""Screens: what the app shows, and what it remembers while somebody uses it."""
