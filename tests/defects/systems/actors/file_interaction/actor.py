CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allow_edits": {
                "type": "boolean",
                "default": True,
                "description": "Whether files may be changed.",
                "x-wasmind": "permission",
            },
            "root": {"type": "string"},
        },
    },
    "tools": [
        {"name": "read_file", "description": "", "parameters": {}},
        {"name": "edit_file", "description": "", "parameters": {}},
    ],
    "capabilities": ["filesystem", "messaging"],
}
