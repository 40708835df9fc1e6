CONTRACT = {
    "tools": [{"name": "planner", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
