"""Keeps calls within the rate that an upstream takes: buckets of tokens, and lines before them."""
