"""What the app ships with: the starter gallery, the scenes it is made from, the bundled checkpoint."""
