"""What written objects say of one another: pods and what they use, what charts bring, who may make what no file shows."""
