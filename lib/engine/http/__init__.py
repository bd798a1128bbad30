"""HTTP/1.1 to one engine: connections, one reader for every kind of answer, and only EngineErrors going out."""
