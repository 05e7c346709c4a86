"""Where is a result computed? Engines in processes of their own, and the pool of them."""
