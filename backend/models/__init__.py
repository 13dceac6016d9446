"""Trained models: their networks, folders and inference."""
