CONTRACT = {
    "tools": [{"name": "report_normal", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
