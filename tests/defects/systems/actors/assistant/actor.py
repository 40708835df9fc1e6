CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "model_name": {
                "type": "string",
                "description": "The model to ask.",
                "x-wasmind": "model",
            },
            "base_url": {"type": "string"},
            "require_tool_call": {"type": "boolean", "default": False},
            "allow_empty_responses": {"type": "boolean", "default": False},
            "system_prompt": {"$ref": "#/$defs/prompt"},
            "system_messages_as": {"enum": ["system", "user"], "default": "system"},
            "tool_timeout_seconds": {
                "type": "integer",
                "minimum": 1,
                "maximum": 86400,
                "default": 3600,
            },
        },
        "required": ["model_name"],
        "$defs": {
            "prompt": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "base_template": {"type": "string", "x-wasmind": "template"},
                    "overrides": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "x-wasmind": "template",
                    },
                    "exclude": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^[a-z0-9_-]+:[^:]+$"},
                    },
                    "defaults": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            }
        },
    },
    "capabilities": ["http", "logger", "messaging"],
    "tools": [],
}
