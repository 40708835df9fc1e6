CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "approvers": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
                "x-wasmind": "actors",
            },
            "min_diff_size": {"type": "integer", "minimum": 0, "default": 200},
        },
        "required": ["approvers"],
    },
    "tools": [
        {"name": "read_file", "description": "", "parameters": {}},
        {"name": "edit_file", "description": "", "parameters": {}},
    ],
    "capabilities": ["agent", "filesystem", "messaging"],
    "spawns": ["hcwe_approve", "hcwe_request_changes"],
}
