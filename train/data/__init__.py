"""Where training media comes from: Parquet folders, and the starter gallery's scene generator."""
