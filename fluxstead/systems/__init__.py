"""One slice a system: settings, manifests, checks. No slice imports another."""
