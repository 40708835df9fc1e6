;; An actor without any toolchain: WebAssembly text against the reference WIT. It imports nothing
;; but `messaging`, says `echo.Started` with its scope when it is constructed, answers `echo.Ping`
;; with `echo.Pong` and the same payload, and says `echo.Stopped` when it is destructed.
;; What stands between the marks takes messages as text; without it, it is the same actor with
;; nothing but the reference's interfaces.
(component
  (import "wasmind:actor/messaging@0.1.0" (instance $messaging
    (export "broadcast" (func (param "message-type" string) (param "payload" (list u8))))))

  (core module $heap
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
        (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u
          (i32.sub (global.get $next) (i32.shl (memory.size) (i32.const 16)))
          (i32.const 16)))))))
      (local.get $at))
    (func (export "free-all") (global.set $next (i32.const 1024))))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))

  (type $actor (resource (rep i32)))
  (core func $new (canon resource.new $actor))
  (core func $broadcast (canon lower (func $messaging "broadcast") (memory $memory)))

  (core module $code
    (import "heap" "memory" (memory 4))
    (import "heap" "free-all" (func $free-all))
    (import "host" "broadcast" (func $broadcast (param i32 i32 i32 i32)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (data (i32.const 0) "echo.Started")
    (data (i32.const 16) "echo.Pong")
    (data (i32.const 32) "echo.Stopped")
    (data (i32.const 48) "echo.Ping")
    (func $is-ping (param $at i32) (param $size i32) (result i32)
      (local $i i32)
      (if (i32.ne (local.get $size) (i32.const 9)) (then (return (i32.const 0))))
      (loop $next
        (if (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                    (i32.load8_u (i32.add (i32.const 48) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 9))))
      (i32.const 1))
    (func (export "constructor")
      (param $scope i32) (param $scope-size i32) (param i32 i32) (result i32)
      (call $broadcast (i32.const 0) (i32.const 12) (local.get $scope) (local.get $scope-size))
      (call $free-all)
      (call $new (i32.const 1)))
    (func (export "handle-message")
      (param $self i32) (param i32 i32) (param $type i32) (param $type-size i32)
      (param i32 i32) (param i32 i32) (param $payload i32) (param $payload-size i32)
      (if (call $is-ping (local.get $type) (local.get $type-size))
        (then (call $broadcast
          (i32.const 16) (i32.const 9) (local.get $payload) (local.get $payload-size))))
      (call $free-all))
    (func (export "deliver")
      (param i32 i32) (param $type i32) (param $type-size i32)
      (param i32 i32) (param i32 i32) (param $case i32) (param $payload i32) (param $payload-size i32)
      (if (call $is-ping (local.get $type) (local.get $type-size))
        (then (call $broadcast
          (i32.const 16) (i32.const 9) (local.get $payload) (local.get $payload-size))))
      (call $free-all))
    (func (export "destructor") (param $self i32)
      (call $broadcast (i32.const 32) (i32.const 12) (i32.const 0) (i32.const 0))))
  (core instance $code (instantiate $code
    (with "heap" (instance $heap))
    (with "host" (instance
      (export "broadcast" (func $broadcast))
      (export "new" (func $new))))))

  ;; text
  (type $content (variant (case "text" string) (case "base64" string)))
  (func $deliver
    (param "id" string) (param "message-type" string) (param "from-actor-id" string)
    (param "from-scope" string) (param "payload" $content)
    (canon lift (core func $code "deliver") (memory $memory) (realloc $realloc)))
  (component $mailbox-interface
    (type $plain-content (variant (case "text" string) (case "base64" string)))
    (import "import-type-content" (type $content (eq $plain-content)))
    (import "import-deliver" (func $deliver
      (param "id" string) (param "message-type" string) (param "from-actor-id" string)
      (param "from-scope" string) (param "payload" $content)))
    (export $content-out "content" (type $content))
    (export "deliver" (func $deliver) (func
      (param "id" string) (param "message-type" string) (param "from-actor-id" string)
      (param "from-scope" string) (param "payload" $content-out))))
  (instance $mailbox (instantiate $mailbox-interface
    (with "import-type-content" (type $content))
    (with "import-deliver" (func $deliver))))
  (export "wasmind:ext/mailbox@0.1.0" (instance $mailbox))
  ;; end of text
  (type $envelope (record
    (field "id" string)
    (field "message-type" string)
    (field "from-actor-id" string)
    (field "from-scope" string)
    (field "payload" (list u8))))

  ;; Exported types need a name of their own: an inner component gives it to them.
  (component $interface
    (type $plain-scope string)
    (import "import-type-scope" (type $scope (eq $plain-scope)))
    (type $plain-envelope (record
      (field "id" string)
      (field "message-type" string)
      (field "from-actor-id" string)
      (field "from-scope" $scope)
      (field "payload" (list u8))))
    (import "import-type-envelope" (type $envelope (eq $plain-envelope)))
    (import "import-type-actor" (type $actor (sub resource)))
    (import "import-constructor"
      (func $constructor (param "scope" string) (param "config" string) (result (own $actor))))
    (import "import-handle-message"
      (func $handle (param "self" (borrow $actor)) (param "message" $envelope)))
    (import "import-destructor" (func $destructor (param "self" (borrow $actor))))
    (export $scope-out "scope" (type $scope))
    (type $plain-envelope-out (record
      (field "id" string)
      (field "message-type" string)
      (field "from-actor-id" string)
      (field "from-scope" $scope-out)
      (field "payload" (list u8))))
    (export $envelope-out "message-envelope" (type $plain-envelope-out))
    (export $actor-out "actor" (type $actor))
    (export "[constructor]actor" (func $constructor)
      (func (param "scope" string) (param "config" string) (result (own $actor-out))))
    (export "[method]actor.handle-message" (func $handle)
      (func (param "self" (borrow $actor-out)) (param "message" $envelope-out)))
    (export "[method]actor.destructor" (func $destructor)
      (func (param "self" (borrow $actor-out)))))

  (func $constructor (param "scope" string) (param "config" string) (result (own $actor))
    (canon lift (core func $code "constructor") (memory $memory) (realloc $realloc)))
  (func $handle (param "self" (borrow $actor)) (param "message" $envelope)
    (canon lift (core func $code "handle-message") (memory $memory) (realloc $realloc)))
  (func $destructor (param "self" (borrow $actor))
    (canon lift (core func $code "destructor") (memory $memory) (realloc $realloc)))

  (type $scope string)
  (instance $exported (instantiate $interface
    (with "import-type-scope" (type $scope))
    (with "import-type-envelope" (type $envelope))
    (with "import-type-actor" (type $actor))
    (with "import-constructor" (func $constructor))
    (with "import-handle-message" (func $handle))
    (with "import-destructor" (func $destructor))))
  (export "wasmind:actor/actor@0.1.0" (instance $exported)))
