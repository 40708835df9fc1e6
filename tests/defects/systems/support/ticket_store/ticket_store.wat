(component
  (import "wasmind:actor/http@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
