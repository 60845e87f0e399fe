"""Training, evaluation and publishing of UniMMA models; never imported by the package or the app."""
