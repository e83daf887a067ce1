;; How long conditions are true, false and unknown: weighed block by block, only while the host has set `weighing`.
;;
;; A tick's value lasts until the next tick of its segment, that of the last one until the segment's last row. Heartbeats
;; in a gap longer than max_gap are not weighed, as the gap counts neither as time nor as distance. A record has four i64: ns unknown, false and true, and which of these
;; (0, 1, 2) the latest tick was. Beside the records of a trigger's parts is the first tick at which all but one of them
;; were true: its time, and the missing part's number from 1 on (0: there was none).

(global $weighing (export "weighing") (mut i32) (i32.const 0)) ;; set by the host
(global $gap_at (mut i32) (i32.const 0))      ;; the first tick of the block that is a heartbeat in a gap
(global $weighed (mut i32) (i32.const 0))     ;; ticks of the block that are weighed
(global $since (mut i64) (i64.const 0))       ;; from when on the block is weighed: the latest tick before it
(global $until (export "weighed_until") (mut i64) (i64.const 0)) ;; the latest tick that is weighed
(global $ended (mut i64) (i64.const 0))       ;; the last row of the segment before
(global $rest (mut i64) (i64.const 0))        ;; what the values of the segment before lasted after its last tick

;; Begin a block: which of its ticks are weighed, and from when on.
(func $begin_weighing
  (global.set $weighed (select (global.get $count) (global.get $gap_at)
    (i32.lt_u (global.get $count) (global.get $gap_at))))
  (if (i32.eqz (global.get $weighed)) (then (return)))
  (global.set $rest (select (i64.sub (global.get $ended) (global.get $until)) (i64.const 0) (global.get $new)))
  (global.set $since (select (i64.load (global.get $tt)) (global.get $until) (global.get $new)))
  (global.set $until (call $tick_time (i32.sub (global.get $weighed) (i32.const 1)))))

(func $tick_time (param $i i32) (result i64)
  (i64.load (i32.add (global.get $tt) (i32.shl (local.get $i) (i32.const 3)))))

;; The bits of the word at byte `w` of a mask that are ticks which are weighed.
(func $weighed_bits (param $w i32) (result i64)
  (local $left i32)
  (local.set $left (i32.sub (global.get $weighed) (i32.shl (local.get $w) (i32.const 3))))
  (select (i64.const -1)
    (i64.shr_u (i64.const -1) (i64.extend_i32_u (i32.sub (i32.const 64) (local.get $left))))
    (i32.ge_u (local.get $left) (i32.const 64))))

;; Weigh a condition: masks of true and false, and its record. Words in which it stays what it was cost next to nothing.
(func $weigh_condition (param $T i32) (param $F i32) (param $record i32)
  (local $w i32) (local $end i32) (local $pairs_end i32) (local $state i32) (local $since i64) (local $t i64) (local $i i32)
  (local $same i64) (local $left i64) (local $wantT v128) (local $wantF v128) (local $true i64) (local $false i64)
  (local.set $state (i32.wrap_i64 (i64.load offset=24 (local.get $record))))
  (call $add_weight (local.get $record) (local.get $state) (global.get $rest))
  (local.set $since (global.get $since))
  (local.set $end (i32.shl (i32.shr_u (i32.add (global.get $weighed) (i32.const 63)) (i32.const 6)) (i32.const 3)))
  (local.set $pairs_end (i32.sub (i32.shl (i32.shr_u (global.get $weighed) (i32.const 6)) (i32.const 3)) (i32.const 8)))
  (local.set $wantT (i64x2.splat (select (i64.const -1) (i64.const 0) (i32.eq (local.get $state) (i32.const 2)))))
  (local.set $wantF (i64x2.splat (select (i64.const -1) (i64.const 0) (i32.eq (local.get $state) (i32.const 1)))))
  (block $done (loop $words
    (br_if $done (i32.ge_u (local.get $w) (local.get $end)))
    (if (i32.lt_s (local.get $w) (local.get $pairs_end)) (then ;; two whole words at a time
      (if (i32.eqz (v128.any_true (v128.or
            (v128.xor (local.get $wantT) (v128.load (i32.add (local.get $T) (local.get $w))))
            (v128.xor (local.get $wantF) (v128.load (i32.add (local.get $F) (local.get $w)))))))
        (then
          (local.set $w (i32.add (local.get $w) (i32.const 16)))
          (br $words)))))
    (local.set $true (i64.load (i32.add (local.get $T) (local.get $w))))
    (local.set $false (i64.load (i32.add (local.get $F) (local.get $w))))
    (local.set $left (call $weighed_bits (local.get $w)))
    (loop $changes
      (local.set $same (select (local.get $true)
        (select (local.get $false)
          (i64.xor (i64.or (local.get $true) (local.get $false)) (i64.const -1))
          (i32.eq (local.get $state) (i32.const 1)))
        (i32.eq (local.get $state) (i32.const 2))))
      (local.set $left (i64.and (local.get $left) (i64.xor (local.get $same) (i64.const -1))))
      (if (i64.ne (local.get $left) (i64.const 0)) (then
        (local.set $i (i32.wrap_i64 (i64.ctz (local.get $left))))
        (local.set $t (call $tick_time (i32.add (i32.shl (local.get $w) (i32.const 3)) (local.get $i))))
        (call $add_weight (local.get $record) (local.get $state) (i64.sub (local.get $t) (local.get $since)))
        (local.set $since (local.get $t))
        (local.set $state (i32.add
          (i32.wrap_i64 (i64.and (i64.shr_u (local.get $false) (i64.extend_i32_u (local.get $i))) (i64.const 1)))
          (i32.shl (i32.wrap_i64 (i64.and (i64.shr_u (local.get $true) (i64.extend_i32_u (local.get $i))) (i64.const 1)))
            (i32.const 1))))
        (local.set $left (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $i))))
        (local.set $left (i64.and (local.get $left) (call $weighed_bits (local.get $w))))
        (br $changes))))
    (local.set $wantT (i64x2.splat (select (i64.const -1) (i64.const 0) (i32.eq (local.get $state) (i32.const 2)))))
    (local.set $wantF (i64x2.splat (select (i64.const -1) (i64.const 0) (i32.eq (local.get $state) (i32.const 1)))))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br $words)))
  (call $add_weight (local.get $record) (local.get $state) (i64.sub (global.get $until) (local.get $since)))
  (i64.store offset=24 (local.get $record) (i64.extend_i32_u (local.get $state))))

(func $add_weight (param $record i32) (param $state i32) (param $ns i64)
  (local.set $record (i32.add (local.get $record) (i32.shl (local.get $state) (i32.const 3))))
  (i64.store (local.get $record) (i64.add (i64.load (local.get $record)) (local.get $ns))))

;; Weigh the time in which a condition was unknown while an input was: a record that is "true" for as long. In a block
;; in place every input is known.
(func $weigh_signal (param $root i32) (param $input i32) (param $record i32)
  (local $w i32) (local $end i32) (local $column i32) (local $both i64)
  (local.set $end (i32.shl (i32.shr_u (i32.add (global.get $weighed) (i32.const 63)) (i32.const 6)) (i32.const 3)))
  (local.set $column (i32.add (global.get $x) (i32.mul (global.get $x_stride) (local.get $input))))
  (loop $words
    (local.set $both (i64.const 0))
    (if (i32.eqz (global.get $in_place)) (then
      (local.set $both (i64.xor (i64.const -1) (i64.or
        (i64.load (i32.add (local.get $root) (local.get $w)))
        (i64.load offset=HALF (i32.add (local.get $root) (local.get $w))))))
      (if (i64.ne (local.get $both) (i64.const 0)) (then
        (local.set $both (i64.and (local.get $both) (i64.xor (i64.const -1)
          (call $numbers_word (i32.add (local.get $column) (i32.shl (local.get $w) (i32.const 6)))))))))))
    (i64.store offset=UNKNOWN_WITH (local.get $w) (local.get $both))
    (i64.store offset=KNOWN_WITH (local.get $w) (i64.xor (local.get $both) (i64.const -1)))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (local.get $end))))
  (call $weigh_condition (i32.const UNKNOWN_WITH) (i32.const KNOWN_WITH) (local.get $record)))

;; Find the first tick at which all but one of `parts` conditions are true, unless it is known.
(func $find_closest (param $masks i32) (param $parts i32) (param $closest i32)
  (local $w i32) (local $end i32) (local $part i32) (local $all i64) (local $but_one i64) (local $true i64) (local $i i64)
  (br_if 0 (i64.ne (i64.load offset=8 (local.get $closest)) (i64.const 0)))
  (local.set $end (i32.shl (i32.shr_u (i32.add (global.get $weighed) (i32.const 63)) (i32.const 6)) (i32.const 3)))
  (loop $words
    (local.set $all (i64.const -1))
    (local.set $but_one (i64.const 0))
    (local.set $part (i32.const 0))
    (loop $parts
      (local.set $true (i64.load (i32.add (local.get $w) (i32.load
        (i32.add (local.get $masks) (i32.shl (local.get $part) (i32.const 2)))))))
      (local.set $but_one (i64.or (i64.and (local.get $but_one) (local.get $true))
        (i64.and (local.get $all) (i64.xor (local.get $true) (i64.const -1)))))
      (local.set $all (i64.and (local.get $all) (local.get $true)))
      (local.set $part (i32.add (local.get $part) (i32.const 1)))
      (br_if $parts (i32.lt_u (local.get $part) (local.get $parts))))
    (local.set $but_one (i64.and (local.get $but_one) (call $weighed_bits (local.get $w))))
    (if (i64.ne (local.get $but_one) (i64.const 0)) (then
      (local.set $i (i64.ctz (local.get $but_one)))
      (i64.store (local.get $closest) (call $tick_time
        (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (local.get $i)))))
      (local.set $part (i32.const 0))
      (loop $missing
        (local.set $true (i64.load (i32.add (local.get $w) (i32.load
          (i32.add (local.get $masks) (i32.shl (local.get $part) (i32.const 2)))))))
        (local.set $part (i32.add (local.get $part) (i32.const 1)))
        (br_if $missing (i64.ne (i64.and (i64.shr_u (local.get $true) (local.get $i)) (i64.const 1)) (i64.const 0))))
      (i64.store offset=8 (local.get $closest) (i64.extend_i32_u (local.get $part)))
      (return)))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (local.get $end)))))

;; Weigh a trigger. At `at` are the numbers of its parts and of its signals, the address of its records, the addresses of
;; the masks of its condition and of its parts, and the numbers of the signals' inputs. Its records, in the same order,
;; follow the closest tick.
(func $weigh (param $at i32)
  (local $parts i32) (local $signals i32) (local $record i32) (local $root i32) (local $n i32) (local $mask i32)
  (if (i32.eqz (global.get $weighed)) (then (return)))
  (local.set $parts (i32.load (local.get $at)))
  (local.set $signals (i32.load offset=4 (local.get $at)))
  (local.set $record (i32.load offset=8 (local.get $at)))
  (local.set $root (i32.load offset=12 (local.get $at)))
  (local.set $at (i32.add (local.get $at) (i32.const 12)))
  (if (local.get $parts) (then
    (call $find_closest (i32.add (local.get $at) (i32.const 4)) (local.get $parts) (local.get $record))))
  (local.set $record (i32.add (local.get $record) (i32.const 16)))
  (loop $conditions
    (local.set $mask (i32.load (local.get $at)))
    (call $weigh_condition (local.get $mask) (i32.add (local.get $mask) (i32.const HALF)) (local.get $record))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (local.set $record (i32.add (local.get $record) (i32.const 32)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $conditions (i32.le_u (local.get $n) (local.get $parts))))
  (local.set $n (i32.const 0))
  (block $done (loop $signals
    (br_if $done (i32.ge_u (local.get $n) (local.get $signals)))
    (call $weigh_signal (local.get $root) (i32.load (local.get $at)) (local.get $record))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (local.set $record (i32.add (local.get $record) (i32.const 32)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br $signals))))
