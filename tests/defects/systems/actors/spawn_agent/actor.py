CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "worker_actors": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"},
            "sub_manager_actors": {
                "type": "array",
                "items": {"type": "string"},
                "x-wasmind": "actors",
            },
        },
        "required": ["worker_actors", "sub_manager_actors"],
    },
    "tools": [{"name": "spawn_agent", "description": "", "parameters": {}}],
    "capabilities": ["agent", "messaging"],
}
