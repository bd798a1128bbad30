"""HTTP calls to services other than the engine: which hosts are allowed, and limits of time and bytes."""
