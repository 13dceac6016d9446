"""Real or synthetic? A short blind test over tiles of the user's own layers."""
