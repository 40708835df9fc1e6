from wasmind_compiler.diagnostics.registry import Rule
