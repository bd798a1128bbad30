"""HTTP/1.1 to one engine: connections, and one reader for all answers. Only EngineErrors leave this package."""
