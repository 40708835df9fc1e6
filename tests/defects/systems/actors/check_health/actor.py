CONTRACT = {
    "config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "check_interval": {
                "type": "integer",
                "minimum": 1,
                "description": "Seconds between two looks.",
            }
        },
        "required": ["check_interval"],
    },
    "capabilities": ["agent", "messaging"],
    "spawns": ["check_health_assistant", "flag_issue", "report_normal"],
}
