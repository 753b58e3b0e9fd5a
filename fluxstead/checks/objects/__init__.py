"""What written objects say about one another: pods and what they use, what charts bring, who may create what no file shows."""
