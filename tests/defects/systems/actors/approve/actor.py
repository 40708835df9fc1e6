CONTRACT = {
    "tools": [{"name": "approve", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
