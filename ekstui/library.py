"""The one facade that both front ends call: read the cache, refresh it from a source, compare, search."""
