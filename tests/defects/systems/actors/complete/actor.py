CONTRACT = {
    "tools": [{"name": "complete", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
