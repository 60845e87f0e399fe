"""Encoders: one file per family, found by name through the registry."""
