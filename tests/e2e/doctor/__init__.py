"""What the doctor says of each row of the failure log, brought about on a running cluster."""
