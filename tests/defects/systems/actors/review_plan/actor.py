CONTRACT = {
    "tools": [{"name": "review_plan", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
