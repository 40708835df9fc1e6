CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "unit": {"enum": ["celsius", "kelvin"]},
            "samples": {"type": "integer", "minimum": 1},
        },
    }
}
