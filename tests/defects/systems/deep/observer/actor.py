CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "interval": {"type": "integer", "minimum": 1},
            "colours": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["interval"],
    }
}
