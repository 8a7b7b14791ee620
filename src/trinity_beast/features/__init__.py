"""What the system does, one package each; tiers are held by import-linter."""
