"""Commands: one module for each family; all stand on `base`, and none of them on another."""
