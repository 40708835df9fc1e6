CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "range": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "lower": {"type": "integer"},
                    "upper": {"type": "integer", "maximum": 100},
                },
            }
        },
    }
}
