(component
  (import "wasmind:actor/messaging@0.1.0" (instance))
  (import "wasmind:actor/logger@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
