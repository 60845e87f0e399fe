"""What training makes of its media, to be looked at and listened to: python -m train.preview."""
