"""Test keys: those of the second example's secrets. They are public, and protect nothing: never encrypt anything of yours for them.

The example's ciphertext is real, so that tests can have Flux's own controllers decrypt it.
"""

OPERATOR = "AGE-SECRET-KEY-1Q8CC5ARPX5DJK0WGZYT6AGW5P30SDRUSEJFSP6GH3J5UVE3L00UQJ7ZME5"  # gitleaks:allow
OFFLINE = "AGE-SECRET-KEY-1AR23ZQ4SAKAFPGKU7G37LUP32YSL6J307FF6YXWRJE848YKRUXSQG5ZKS0"  # gitleaks:allow
CLUSTER = "AGE-SECRET-KEY-1L50VU68D6R5MTY6JYN8C8ZLNTJSSURF75MHT0JVUPLXLXFWHUGUQNSW8J9"  # gitleaks:allow
