"""Files on disk: written whole or not at all, byte-identical when their content is, and traced to their origin."""
