CONTRACT = {
    "tools": [{"name": "send_manager_message", "description": "", "parameters": {}}],
    "capabilities": ["messaging"],
}
