CONTRACT = {"config": None, "capabilities": ["agent", "messaging"], "spawns": []}
