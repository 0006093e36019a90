"""Where documents and account facts come from."""
