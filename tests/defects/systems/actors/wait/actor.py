CONTRACT = {
    "tools": [{"name": "wait", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
