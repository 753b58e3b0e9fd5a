"""The real tools that the deeper tests run, pinned as Go modules and built on first use."""
