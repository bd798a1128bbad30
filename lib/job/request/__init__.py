"""EngineRequest: any call of the Engine API, for what no action has."""
