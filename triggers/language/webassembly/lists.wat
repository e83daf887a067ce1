;; What the lists of a program share (see objects.wat). An object that is over leaves its slot at a tick of its list, from
;; which on its operators step no more: the masks of due and fresh ticks end there while its kernels run.

(global $leaves (mut i32) (i32.const 0))    ;; 1: the object leaves its slot in this block
(global $ahead (mut i32) (i32.const 16))    ;; rows to look at for a block: few where objects are often new

(func $last_time (result i64)
  (i64.load (i32.add (global.get $tt) (i32.shl (i32.sub (global.get $count) (i32.const 1)) (i32.const 3)))))

;; The first tick of a mask of due ticks that is more than `age` after `t`; the number of ticks if there is none.
(func $tick_over (param $due i32) (param $t i64) (param $age i64) (result i32)
  (local $w i32) (local $i i32) (local $left i64)
  (loop $words
    (local.set $left (i64.load (i32.add (local.get $due) (local.get $w))))
    (block $done (loop $bits
      (br_if $done (i64.eqz (local.get $left)))
      (local.set $i (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (i64.ctz (local.get $left)))))
      (if (i64.gt_s
            (i64.sub (i64.load (i32.add (global.get $tt) (i32.shl (local.get $i) (i32.const 3)))) (local.get $t))
            (local.get $age))
        (then (return (local.get $i))))
      (local.set $left (i64.and (local.get $left) (i64.sub (local.get $left) (i64.const 1))))
      (br $bits)))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
  (global.get $count))

;; End every mask of due and fresh ticks before tick `i`, until they are restored.
(func $end_masks (param $i i32)
  (local $at i32) (local $word i32) (local $rest i32)
  (global.set $leaves (i32.const 1))
  (memory.copy (i32.const KEPT_MASKS) (i32.const MASKS) (i32.const MASKS_BYTES))
  (local.set $rest (i32.sub (global.get $words)
    (i32.add (i32.shl (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 3)) (i32.const 8))))
  (local.set $at (i32.const MASKS))
  (loop $masks
    (local.set $word (i32.add (local.get $at) (i32.shl (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 3))))
    (i64.store (local.get $word) (i64.and (i64.load (local.get $word))
      (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $i))) (i64.const 1))))
    (memory.fill (i32.add (local.get $word) (i32.const 8)) (i32.const 0) (local.get $rest))
    (local.set $at (i32.add (local.get $at) (i32.const HALF)))
    (br_if $masks (i32.lt_u (local.get $at) (i32.const MASKS_END)))))

(func $restore_masks
  (memory.copy (i32.const MASKS) (i32.const KEPT_MASKS) (i32.const MASKS_BYTES)))

;; OBJECT_AT from offset `at` to before `end`: one place at all these ticks.
(func $put_places (param $at i32) (param $place i32) (param $end i32) (result i32)
  (block $done (loop $ticks
    (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
    (i32.store offset=OBJECT_AT (local.get $at) (local.get $place))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br $ticks)))
  (local.get $at))

;; PRESENT: the ticks at which the object is in the latest sample and the list, by its mask, is known; elsewhere
;; OBJECT_AT becomes ABSENT.
(func $find_present (param $known i32)
  (local $i i32) (local $at i32) (local $word i64) (local $known_word i64) (local $is_present i32)
  (loop $ticks
    (if (i32.eqz (i32.and (local.get $i) (i32.const 63))) (then
      (local.set $word (i64.const 0))
      (local.set $known_word (i64.load (i32.add (local.get $known) (i32.shr_u (local.get $i) (i32.const 3)))))))
    (local.set $at (i32.load offset=OBJECT_AT (i32.shl (local.get $i) (i32.const 2))))
    (local.set $is_present (i32.and (i32.ne (local.get $at) (i32.const ABSENT))
      (i32.wrap_i64 (i64.shr_u (local.get $known_word) (i64.extend_i32_u (local.get $i))))))
    (i32.store offset=OBJECT_AT (i32.shl (local.get $i) (i32.const 2))
      (select (local.get $at) (i32.const ABSENT) (local.get $is_present)))
    (local.set $word (i64.or (local.get $word)
      (i64.shl (i64.extend_i32_u (local.get $is_present)) (i64.extend_i32_u (local.get $i)))))
    (i64.store offset=PRESENT (i32.shl (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 3)) (local.get $word))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $ticks (i32.lt_u (local.get $i) (global.get $count)))))

;; A field of the object over the ticks: from its column of the buffers, or what is held from before the block.
(func $fill_field (param $column i32) (param $held i32) (param $out i32)
  (local $i i32) (local $at i32) (local $number f64) (local $held_number f64)
  (local.set $held_number (f64.load (local.get $held)))
  (loop $ticks
    (local.set $at (i32.load offset=OBJECT_AT (i32.shl (local.get $i) (i32.const 2))))
    (local.set $number (f64.load (i32.add (local.get $column)
      (i32.shl (select (local.get $at) (i32.const 0) (i32.ge_s (local.get $at) (i32.const 0))) (i32.const 3)))))
    (local.set $number (select (local.get $held_number) (local.get $number)
      (i32.eq (local.get $at) (i32.const HELD_PLACE))))
    (f64.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3)))
      (select (local.get $number) (f64.const nan) (i32.and (i32.ne (local.get $at) (i32.const ABSENT))
        (f64.eq (f64.sub (local.get $number) (local.get $number)) (f64.const 0)))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $ticks (i32.lt_u (local.get $i) (global.get $count)))))
