CONTRACT = {
    "tools": [{"name": "flag_issue", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
