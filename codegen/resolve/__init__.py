"""The spec as written -> what the templates print, with every name looked up and checked."""
