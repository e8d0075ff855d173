"""View models and the pages made of them."""
