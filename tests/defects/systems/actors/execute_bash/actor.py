CONTRACT = {
    "tools": [{"name": "execute_bash", "description": "", "parameters": {}}],
    "capabilities": ["command", "messaging"],
}
