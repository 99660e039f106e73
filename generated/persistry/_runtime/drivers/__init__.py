"""How each driver connects, takes turns and runs what the persisters ask of it."""
