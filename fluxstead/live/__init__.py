"""What a running cluster says of itself, as plain facts."""
