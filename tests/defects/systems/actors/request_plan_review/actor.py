CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "reviewers": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
                "x-wasmind": "actors",
            }
        },
        "required": ["reviewers"],
    },
    "tools": [{"name": "request_plan_review", "description": "", "parameters": {}}],
    "capabilities": ["agent", "messaging"],
    "spawns": ["rpr__review_plan"],
}
