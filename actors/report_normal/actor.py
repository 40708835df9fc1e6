"""A tool with which a health analyzer says that all is well."""

from __future__ import annotations

from wasmind_actor import Actor, Call, ToolResult, tool


class ReportNormal(Actor):
    """Ends a health check without a finding."""

    @tool
    def report_normal(self, call: Call) -> ToolResult:
        """Reports that the agent makes progress, and ends this check."""
        call.end_agent("The agent is healthy.")
        return ToolResult("The agent is healthy and makes normal progress.", "Healthy")
