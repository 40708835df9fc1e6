CONTRACT = {
    "tools": [{"name": "send_message", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
