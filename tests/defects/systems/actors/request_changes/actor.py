CONTRACT = {
    "tools": [{"name": "request_changes", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
