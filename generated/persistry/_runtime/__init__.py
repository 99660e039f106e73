"""What the generated persisters share. Written by hand; not part of the public interface."""
