"""`./run backup`: what is backed up, and how it comes back."""
