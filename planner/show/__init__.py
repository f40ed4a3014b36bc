"""Answers as text on a terminal: calm tables, aligned also where Chinese and Latin letters mix."""
