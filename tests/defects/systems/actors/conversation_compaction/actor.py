CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "token_threshold": {"type": "integer", "minimum": 1, "maximum": 2147483647},
            "model_name": {"type": "string", "x-wasmind": "model"},
        },
        "required": ["token_threshold", "model_name"],
    },
    "capabilities": ["http", "logger", "messaging"],
}
