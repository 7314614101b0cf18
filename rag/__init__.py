"""Questions in, cited answers out. Knows nothing of Discord or of a terminal."""
