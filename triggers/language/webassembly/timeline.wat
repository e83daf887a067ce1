;; From rows to blocks of ticks, and the module's exports. The emitter fills in the words in capitals.
;;
;; `run` cuts its rows into blocks of at most CHUNK ticks that never cross the beginning of a segment. A block is either
;; in place: every input has a finite sample in every row, and rows follow each other within CLOSE_NS, so ticks are rows
;; and the row buffers serve as columns; or collected: ticks are gathered from heartbeats and from the rows that have
;; samples, and samples are held from tick to tick. Times are compared unsigned where a sum could pass 2^63.

(global $tt (mut i32) (i32.const 0))          ;; address of the ticks' times
(global $count (mut i32) (i32.const 0))       ;; ticks in the block
(global $words (mut i32) (i32.const 0))       ;; bytes of a mask in use
(global $tail (mut i64) (i64.const 0))        ;; valid bits of a mask's last word
(global $in_place (mut i32) (i32.const 0))    ;; 1: ticks are rows, the row buffers are the columns
(global $x (mut i32) (i32.const 0))           ;; column of the first input
(global $x_stride (mut i32) (i32.const 0))    ;; bytes from one input's column to the next
(global $row (mut i32) (i32.const 0))         ;; row of the first tick of a block in place
(global $new (mut i32) (i32.const 0))         ;; 1: the block's first tick begins a segment
(global $fires (mut i32) (i32.const 0))       ;; fires in the buffer
(global $patience (mut i32) (i32.const 0))    ;; rows to collect before looking for a block in place again
(global $overflows i32 (i32.const OVERFLOWS)) ;; address of the counter of lost window entries

(func $row_time (param $row i32) (result i64)
  (i64.load offset=TIMES (i32.shl (local.get $row) (i32.const 3))))

;; ---- Blocks in place

;; 1 where `count` numbers from `address` on are all finite: only then is the sum of all x - x zero.
(func $all_finite (param $address i32) (param $count i32) (result i32)
  (local $end i32) (local $v v128) (local $p v128) (local $q v128) (local $number f64)
  (local.set $end (i32.add (local.get $address) (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 3))))
  (block $octets_done (loop $octets
    (br_if $octets_done (i32.ge_u (local.get $address) (local.get $end)))
    (local.set $v (v128.load (local.get $address)))
    (local.set $p (f64x2.add (local.get $p) (f64x2.sub (local.get $v) (local.get $v))))
    (local.set $v (v128.load offset=16 (local.get $address)))
    (local.set $q (f64x2.add (local.get $q) (f64x2.sub (local.get $v) (local.get $v))))
    (local.set $v (v128.load offset=32 (local.get $address)))
    (local.set $p (f64x2.add (local.get $p) (f64x2.sub (local.get $v) (local.get $v))))
    (local.set $v (v128.load offset=48 (local.get $address)))
    (local.set $q (f64x2.add (local.get $q) (f64x2.sub (local.get $v) (local.get $v))))
    (local.set $address (i32.add (local.get $address) (i32.const 64)))
    (br $octets)))
  (local.set $p (f64x2.add (local.get $p) (local.get $q)))
  (if (i32.eqz (i64x2.all_true (f64x2.eq (local.get $p) (local.get $p)))) (then (return (i32.const 0))))
  (local.set $end (i32.add (local.get $address) (i32.shl (i32.and (local.get $count) (i32.const 7)) (i32.const 3))))
  (block $rest_done (loop $rest
    (br_if $rest_done (i32.ge_u (local.get $address) (local.get $end)))
    (local.set $number (f64.load (local.get $address)))
    (if (f64.ne (f64.sub (local.get $number) (local.get $number)) (f64.const 0)) (then (return (i32.const 0))))
    (local.set $address (i32.add (local.get $address) (i32.const 8)))
    (br $rest)))
  (i32.const 1))

;; 1 where each of `count` rows from `row` on is 1 to CLOSE_NS after the row before it. First eight at a time: if no
;; gap - 1 has a bit of FAR (the bits from CLOSE_NS, rounded down to a power of two, upwards), all are close.
(func $close_together (param $row i32) (param $count i32) (result i32)
  (local $at i32) (local $end i32) (local $bits v128)
  (local.set $at (i32.add (i32.const TIMES) (i32.shl (local.get $row) (i32.const 3))))
  (local.set $end (i32.add (local.get $at) (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 3))))
  (block $octets_done (loop $octets
    (br_if $octets_done (i32.ge_u (local.get $at) (local.get $end)))
    (local.set $bits (v128.or (local.get $bits) (i64x2.add (v128.const i64x2 -1 -1)
      (i64x2.sub (v128.load (local.get $at)) (v128.load (i32.sub (local.get $at) (i32.const 8)))))))
    (local.set $bits (v128.or (local.get $bits) (i64x2.add (v128.const i64x2 -1 -1)
      (i64x2.sub (v128.load offset=16 (local.get $at)) (v128.load offset=8 (local.get $at))))))
    (local.set $bits (v128.or (local.get $bits) (i64x2.add (v128.const i64x2 -1 -1)
      (i64x2.sub (v128.load offset=32 (local.get $at)) (v128.load offset=24 (local.get $at))))))
    (local.set $bits (v128.or (local.get $bits) (i64x2.add (v128.const i64x2 -1 -1)
      (i64x2.sub (v128.load offset=48 (local.get $at)) (v128.load offset=40 (local.get $at))))))
    (local.set $at (i32.add (local.get $at) (i32.const 64)))
    (br $octets)))
  (if (v128.any_true (v128.and (local.get $bits) (v128.const i64x2 FAR FAR)))
    (then (local.set $at (i32.add (i32.const TIMES) (i32.shl (local.get $row) (i32.const 3))))))
  (local.set $end (i32.add (i32.const TIMES)
    (i32.shl (i32.add (local.get $row) (local.get $count)) (i32.const 3))))
  (block $ticks_done (loop $ticks
    (br_if $ticks_done (i32.ge_u (local.get $at) (local.get $end)))
    (if (i64.ge_u
          (i64.sub (i64.sub (i64.load (local.get $at)) (i64.load (i32.sub (local.get $at) (i32.const 8)))) (i64.const 1))
          (i64.const CLOSE_NS))
      (then (return (i32.const 0))))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br $ticks)))
  (i32.const 1))

;; 1 where a row at `t` begins a segment and no heartbeat comes before it.
(func $begins_at_once (param $t i64) (result i32)
  (i32.or (i32.eqz (i32.load (i32.const RUNNING))) (i64.le_u (local.get $t) (i64.load (i32.const PREVIOUS)))))

;; 1 where a row at `t` continues its segment and no heartbeat before it finds a silent signal.
(func $follows_closely (param $t i64) (result i32)
  (local $previous i64) (local $input i32)
  (local.set $previous (i64.load (i32.const PREVIOUS)))
  (if (i64.ge_u (i64.sub (i64.sub (local.get $t) (local.get $previous)) (i64.const 1)) (i64.const CLOSE_NS))
    (then (return (i32.const 0))))
  (if (i64.ge_u (i64.load (i32.const BEAT)) (local.get $t)) (then (return (i32.const 1))))
  (block $done (loop $inputs
    (br_if $done (i32.eq (local.get $input) (i32.const INPUTS)))
    (if (i64.ne (i64.load offset=SAMPLE_TIMES (i32.shl (local.get $input) (i32.const 5))) (local.get $previous))
      (then (return (i32.const 0))))
    (local.set $input (i32.add (local.get $input) (i32.const 1)))
    (br $inputs)))
  (i32.const 1))

;; How many rows from `row` on, at most `limit`, can be evaluated in place; found in steps of 64.
(func $rows_in_place (param $row i32) (param $limit i32) (result i32)
  (local $n i32) (local $step i32) (local $first i32) (local $input i32) (local $t i64)
  NEVER_IN_PLACE ;; where an expression ticks at heartbeats, which are no rows
  (local.set $t (call $row_time (local.get $row)))
  (if (i64.lt_s (local.get $t) (i64.const 0)) (then (return (i32.const 0))))
  (if (i32.eqz (call $begins_at_once (local.get $t))) (then
    (if (i32.eqz (call $follows_closely (local.get $t))) (then (return (i32.const 0))))))
  (local.set $first (i32.const 1))
  (block $done (loop $steps
    (br_if $done (i32.ge_u (local.get $n) (local.get $limit)))
    (local.set $step (i32.sub (local.get $limit) (local.get $n)))
    (if (i32.gt_u (local.get $step) (i32.const 64)) (then (local.set $step (i32.const 64))))
    (br_if $done (i32.eqz (call $close_together
      (i32.add (i32.add (local.get $row) (local.get $n)) (local.get $first))
      (i32.sub (local.get $step) (local.get $first)))))
    (local.set $first (i32.const 0))
    (local.set $input (i32.const 0))
    (loop $inputs
      (br_if $done (i32.eqz (call $all_finite
        (i32.add (i32.add (i32.const COLUMNS) (i32.mul (local.get $input) (i32.const COLUMN_STRIDE)))
          (i32.shl (i32.add (local.get $row) (local.get $n)) (i32.const 3)))
        (local.get $step))))
      (local.set $input (i32.add (local.get $input) (i32.const 1)))
      (br_if $inputs (i32.lt_u (local.get $input) (i32.const INPUTS))))
    (local.set $n (i32.add (local.get $n) (local.get $step)))
    (br $steps)))
  (local.get $n))

;; Make a block of `n` rows from `row` on in place, and hold the last row's samples.
(func $take_in_place (param $row i32) (param $n i32)
  (local $t i64) (local $at i32) (local $end i32) (local $sample i32) (local $value f64)
  (local.set $t (call $row_time (local.get $row)))
  (if (call $begins_at_once (local.get $t)) (then (call $begin_segment (local.get $t))))
  LISTS_IN_PLACE ;; which may have fewer rows then
  (call $set_count (local.get $n))
  (global.set $in_place (i32.const 1))
  (global.set $row (local.get $row))
  (global.set $tt (i32.add (i32.const TIMES) (i32.shl (local.get $row) (i32.const 3))))
  (global.set $x (i32.add (i32.const COLUMNS) (i32.shl (local.get $row) (i32.const 3))))
  (global.set $x_stride (i32.const COLUMN_STRIDE))
  (local.set $t (call $row_time (i32.sub (i32.add (local.get $row) (local.get $n)) (i32.const 1))))
  (i64.store (i32.const PREVIOUS) (local.get $t))
  (i64.store (i32.const BEAT) (call $beat_after (local.get $t)))
  (local.set $at (i32.const HELD))
  (local.set $end (i32.const HELD_END))
  (local.set $sample (i32.add (global.get $x) (i32.shl (i32.sub (local.get $n) (i32.const 1)) (i32.const 3))))
  (loop $inputs
    (local.set $value (f64.load (local.get $sample)))
    (f64.store (local.get $at) (local.get $value))
    (i64.store offset=8 (local.get $at) (local.get $t))
    (i64.store offset=16 (local.get $at) (local.get $t))
    (f64.store offset=24 (local.get $at) (local.get $value))
    (local.set $sample (i32.add (local.get $sample) (i32.const COLUMN_STRIDE)))
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (br_if $inputs (i32.lt_u (local.get $at) (local.get $end))))
  (call $fill_masks))

;; Every mask of due and fresh ticks: all ticks.
(func $fill_masks
  (local $at i32) (local $last i32)
  (local.set $at (i32.const MASKS))
  (local.set $last (i32.sub (global.get $words) (i32.const 8)))
  (loop $masks
    (memory.fill (local.get $at) (i32.const 255) (local.get $last))
    (i64.store (i32.add (local.get $at) (local.get $last)) (global.get $tail))
    (local.set $at (i32.add (local.get $at) (i32.const HALF)))
    (br_if $masks (i32.lt_u (local.get $at) (i32.const MASKS_END)))))

;; ---- Collected blocks

;; ANY: bit i tells whether row `row` + i has a sample of any input.
(func $find_samples (param $row i32) (param $limit i32)
  (local $at i32) (local $end i32) (local $column i32) (local $word i64)
  (local.set $end (i32.shl (i32.shr_u (i32.add (local.get $limit) (i32.const 63)) (i32.const 6)) (i32.const 3)))
  (loop $words
    (local.set $word (i64.const 0))
    (local.set $column (i32.add (i32.add (i32.const COLUMNS) (i32.shl (local.get $row) (i32.const 3)))
      (i32.shl (local.get $at) (i32.const 6))))
    (loop $inputs
      (local.set $word (i64.or (local.get $word) (call $numbers_word (local.get $column))))
      (local.set $column (i32.add (local.get $column) (i32.const COLUMN_STRIDE)))
      (br_if $inputs (i32.lt_u (local.get $column) (i32.const COLUMNS_END))))
    (i64.store offset=ANY (local.get $at) (local.get $word))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $at) (local.get $end)))))

(func $put_tick (param $n i32) (param $t i64) (param $row i32)
  (i64.store offset=TICK_TIMES (i32.shl (local.get $n) (i32.const 3)) (local.get $t))
  (i32.store offset=TICK_ROWS (i32.shl (local.get $n) (i32.const 2)) (local.get $row)))

;; A tick at a multiple of the heartbeat.
(func $put_beat (param $n i32) (param $t i64) (param $row i32)
  (local $word i32)
  (call $put_tick (local.get $n) (local.get $t) (local.get $row))
  (local.set $word (i32.shl (i32.shr_u (local.get $n) (i32.const 6)) (i32.const 3)))
  (i64.store offset=BEATS (local.get $word) (i64.or (i64.load offset=BEATS (local.get $word))
    (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $n))))))

;; Collect ticks from at most `limit` rows; returns the rows consumed. It stops early where a segment ends or when the
;; ticks are full, possibly among the heartbeats before a row: BEAT says where to continue. The tick of a heartbeat
;; between rows has the row after it, with the highest bit set.
(func $collect (param $row i32) (param $limit i32) (result i32)
  (local $i i32) (local $n i32) (local $t i64) (local $previous i64) (local $beat i64) (local $this i32)
  (local $running i32) (local $at i32) (local $samples i64)
  (call $find_samples (local.get $row) (local.get $limit))
  (memory.fill (i32.const BEATS) (i32.const 0) (i32.const HALF))
  (local.set $previous (i64.load (i32.const PREVIOUS)))
  (local.set $beat (i64.load (i32.const BEAT)))
  (local.set $running (i32.load (i32.const RUNNING)))
  (local.set $at (i32.add (i32.const TIMES) (i32.shl (local.get $row) (i32.const 3))))
  (block $done (loop $rows
    (br_if $done (i32.ge_u (local.get $i) (local.get $limit)))
    (br_if $done (i32.ge_u (local.get $n) (i32.const LAST_TICK)))
    (local.set $t (i64.load (local.get $at)))
    (br_if $done (i64.lt_s (local.get $t) (i64.const 0)))
    (if (i32.eqz (i32.and (local.get $i) (i32.const 63))) (then
      (local.set $samples (i64.load offset=ANY (i32.shr_u (local.get $i) (i32.const 3))))))
    (local.set $this (i32.add (local.get $row) (local.get $i)))
    (if (i32.or (i32.eqz (local.get $running))
          (i64.ge_u (i64.sub (i64.sub (local.get $t) (local.get $previous)) (i64.const 1)) (i64.const MAX_GAP_NS)))
      (then
        (if (i32.and (local.get $running) (i64.gt_u (local.get $t) (local.get $previous))) (then
          (global.set $gap_at (local.get $n))
          (block $quiet (loop $beats
            (br_if $quiet (i64.gt_u (local.get $beat) (i64.add (local.get $previous) (i64.const MAX_GAP_NS))))
            (br_if $done (i32.ge_u (local.get $n) (i32.const LAST_TICK)))
            (call $put_beat (local.get $n) (local.get $beat) (i32.or (local.get $this) (i32.const 0x80000000)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (local.set $beat (i64.add (local.get $beat) (i64.const HEARTBEAT_NS)))
            (br $beats)))))
        (br_if $done (local.get $n))
        (global.set $gap_at (i32.const CHUNK))
        (i64.store (i32.const PREVIOUS) (local.get $previous)) ;; rows without a tick may precede it
        (call $begin_segment (local.get $t))
        (local.set $running (i32.const 1))
        (local.set $beat (call $beat_after (local.get $t)))
        (call $put_tick (local.get $n) (local.get $t) (local.get $this))
        LISTS_BEGIN_SEGMENT
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (local.set $limit (i32.add (local.get $i) (i32.const 1)))) ;; the rows after it may be usable in place
      (else
        (if (i64.ge_u (local.get $t) (local.get $beat)) (then
          (block $caught_up (loop $beats
            (br_if $caught_up (i64.ge_u (local.get $beat) (local.get $t)))
            (br_if $done (i32.ge_u (local.get $n) (i32.const LAST_TICK)))
            (call $put_beat (local.get $n) (local.get $beat) (i32.or (local.get $this) (i32.const 0x80000000)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (local.set $beat (i64.add (local.get $beat) (i64.const HEARTBEAT_NS)))
            (br $beats)))))
        LISTS_NEXT_ROW ;; unless the block ends before this row
        (if (i64.eq (local.get $beat) (local.get $t))
          (then
            (call $put_beat (local.get $n) (local.get $t) (local.get $this))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (local.set $beat (i64.add (local.get $beat) (i64.const HEARTBEAT_NS))))
          (else ;; always written, and kept if there is a sample: a branch would often be mispredicted
            (i64.store offset=TICK_TIMES (i32.shl (local.get $n) (i32.const 3)) (local.get $t))
            (i32.store offset=TICK_ROWS (i32.shl (local.get $n) (i32.const 2)) (local.get $this))
            (local.set $n (i32.add (local.get $n) (i32.and (i32.wrap_i64 (local.get $samples)) (i32.const 1))))))))
    (local.set $samples (i64.shr_u (local.get $samples) (i64.const 1)))
    (local.set $previous (local.get $t))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $rows)))
  (i64.store (i32.const PREVIOUS) (local.get $previous))
  (i64.store (i32.const BEAT) (local.get $beat))
  (if (local.get $n) (then (call $take_collected (local.get $n))) (else (global.set $count (i32.const 0))))
  (local.get $i))

(func $take_collected (param $n i32)
  (local $input i32)
  (call $set_count (local.get $n))
  (global.set $in_place (i32.const 0))
  (global.set $tt (i32.const TICK_TIMES))
  (global.set $x (i32.const SHOWN))
  (global.set $x_stride (i32.const CHUNK_BYTES))
  (loop $inputs
    (call $hold (local.get $input))
    (local.set $input (i32.add (local.get $input) (i32.const 1)))
    (br_if $inputs (i32.lt_u (local.get $input) (i32.const INPUTS))))
  (call $join_masks))

;; Hold an input's samples over the ticks: what it shows, where it is fresh, where it is due, when it was sampled.
;; It is due at its samples, at heartbeats without one in the last HEARTBEAT_NS, and where a segment begins. Numbers are
;; handled as bits (NaN: above 0x7ff0000000000000 without the sign), of which a selection is not a branch.
(func $hold (param $input i32)
  (local $at i32) (local $column i32) (local $shown_at i32) (local $sampled_at i32) (local $max_age i64)
  (local $value i64) (local $since i64) (local $sampled i64) (local $shown i64)
  (local $i i32) (local $t i64) (local $row i32) (local $x i64) (local $is_fresh i32) (local $is_due i32)
  (local $beats i64) (local $fresh i64) (local $due i64)
  (local.set $at (i32.add (i32.const HELD) (i32.shl (local.get $input) (i32.const 5))))
  (local.set $value (i64.load (local.get $at)))
  (local.set $since (i64.load offset=8 (local.get $at)))
  (local.set $sampled (i64.load offset=16 (local.get $at)))
  (local.set $shown (i64.load offset=24 (local.get $at)))
  (local.set $column (i32.add (i32.const COLUMNS) (i32.mul (local.get $input) (i32.const COLUMN_STRIDE))))
  (local.set $shown_at (i32.add (i32.const SHOWN) (i32.mul (local.get $input) (i32.const CHUNK_BYTES))))
  (local.set $max_age (i64.load offset=MAX_AGES (i32.shl (local.get $input) (i32.const 3))))
  (local.set $sampled_at (i32.load offset=SAMPLED_COLUMNS (i32.shl (local.get $input) (i32.const 2))))
  (if (global.get $new) (then (local.set $since (i64.load (global.get $tt)))))
  (loop $ticks
    (if (i32.eqz (i32.and (local.get $i) (i32.const 63))) (then
      (local.set $beats (i64.load offset=BEATS (i32.shr_u (local.get $i) (i32.const 3))))
      (local.set $fresh (i64.const 0))
      (local.set $due (i64.const 0))))
    (local.set $t (i64.load (i32.add (global.get $tt) (i32.shl (local.get $i) (i32.const 3)))))
    (local.set $row (i32.load offset=TICK_ROWS (i32.shl (local.get $i) (i32.const 2))))
    ;; a heartbeat between rows has no sample: it reads that of its row and discards it
    (local.set $x (i64.load (i32.add (local.get $column) (i32.shl (local.get $row) (i32.const 3)))))
    (local.set $is_fresh (i32.and (i32.ge_s (local.get $row) (i32.const 0))
      (i64.le_u (i64.and (local.get $x) (i64.const 0x7fffffffffffffff)) (i64.const 0x7ff0000000000000))))
    (local.set $value (select (local.get $x) (local.get $value) (local.get $is_fresh)))
    (local.set $since (select (local.get $t) (local.get $since) (local.get $is_fresh)))
    (local.set $sampled (select (local.get $t) (local.get $sampled) (local.get $is_fresh)))
    (local.set $is_due (i32.or (i32.or (local.get $is_fresh) (i32.lt_u (local.get $i) (global.get $new)))
      (i32.and (i32.wrap_i64 (local.get $beats))
        (i64.ge_u (i64.sub (local.get $t) (local.get $sampled)) (i64.const HEARTBEAT_NS)))))
    (local.set $shown (select
      (select (local.get $value) (i64.const 0x7ff8000000000000) (i32.and
        (i64.lt_u (i64.and (local.get $value) (i64.const 0x7fffffffffffffff)) (i64.const 0x7ff0000000000000))
        (i64.le_u (i64.sub (local.get $t) (local.get $since)) (local.get $max_age))))
      (local.get $shown)
      (local.get $is_due)))
    (local.set $fresh (i64.or (local.get $fresh)
      (i64.shl (i64.extend_i32_u (local.get $is_fresh)) (i64.extend_i32_u (local.get $i)))))
    (local.set $due (i64.or (local.get $due)
      (i64.shl (i64.extend_i32_u (local.get $is_due)) (i64.extend_i32_u (local.get $i)))))
    (local.set $beats (i64.shr_u (local.get $beats) (i64.const 1)))
    (i64.store (i32.add (local.get $shown_at) (i32.shl (local.get $i) (i32.const 3))) (local.get $shown))
    (if (local.get $sampled_at) (then
      (i64.store (i32.add (local.get $sampled_at) (i32.shl (local.get $i) (i32.const 3))) (local.get $sampled))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (if (i32.or (i32.eqz (i32.and (local.get $i) (i32.const 63))) (i32.eq (local.get $i) (global.get $count))) (then
      (call $put_masks (local.get $input) (i32.sub (local.get $i) (i32.const 1)) (local.get $fresh) (local.get $due))))
    (br_if $ticks (i32.lt_u (local.get $i) (global.get $count))))
  (i64.store (local.get $at) (local.get $value))
  (i64.store offset=8 (local.get $at) (local.get $since))
  (i64.store offset=16 (local.get $at) (local.get $sampled))
  (i64.store offset=24 (local.get $at) (local.get $shown)))

;; Store the words of an input's masks that hold tick `i`.
(func $put_masks (param $input i32) (param $i i32) (param $fresh i64) (param $due i64)
  (local $at i32)
  (local.set $at (i32.add (i32.mul (local.get $input) (i32.const HALF))
    (i32.shl (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 3))))
  (i64.store offset=FRESH (local.get $at) (local.get $fresh))
  (i64.store offset=DUE (local.get $at) (local.get $due)))

;; The union of two masks.
(func $join (param $into i32) (param $mask i32)
  (local $end i32)
  (local.set $end (i32.add (local.get $into) (global.get $words)))
  (loop $words
    (i64.store (local.get $into) (i64.or (i64.load (local.get $into)) (i64.load (local.get $mask))))
    (local.set $into (i32.add (local.get $into) (i32.const 8)))
    (local.set $mask (i32.add (local.get $mask) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $into) (local.get $end)))))

;; ---- Segments

(func $set_count (param $n i32)
  (global.set $count (local.get $n))
  (global.set $words (i32.shl (i32.shr_u (i32.add (local.get $n) (i32.const 63)) (i32.const 6)) (i32.const 3)))
  (global.set $tail (i64.shr_u (i64.const -1)
    (i64.extend_i32_u (i32.and (i32.sub (i32.const 0) (local.get $n)) (i32.const 63))))))

(func $beat_after (param $t i64) (result i64)
  (i64.mul (i64.add (i64.div_u (local.get $t) (i64.const HEARTBEAT_NS)) (i64.const 1)) (i64.const HEARTBEAT_NS)))

;; Clear the state of the segment. If time jumped back, running cooldowns keep their remaining time.
(func $begin_segment (param $t i64)
  (local $back i64) (local $at i32)
  (local.set $back (i64.sub (local.get $t) (i64.load (i32.const PREVIOUS))))
  (if (i64.le_s (local.get $back) (i64.const 0)) (then
    (local.set $at (i32.const TRIGGERS))
    (block $done (loop $triggers
      (br_if $done (i32.ge_u (local.get $at) (i32.const TRIGGERS_END)))
      (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (local.get $back)))
      (local.set $at (i32.add (local.get $at) (i32.const 24)))
      (br $triggers)))))
  (memory.copy (i32.const SEGMENT) (i32.const IMAGE) (i32.const SEGMENT_BYTES))
  LISTS_EMPTY
  (i32.store (i32.const RUNNING) (i32.const 1))
  (global.set $ended (i64.load (i32.const PREVIOUS)))
  (global.set $new (i32.const 1)))

;; ---- Fires

;; A trigger: fires when its condition rises, unless its cooldown runs. `state` has the last known value (0: none,
;; 1: false, 2: true); `memory` the time of the latest fire, whether there is one, and the rises suppressed. Then its
;; condition is weighed, if the host wants that; a vehicle does not, and pays for the question alone.
(func $fire (param $arg0 i32) (param $trigger i32) (param $state i32) (param $memory i32) (param $cooldown i64)
  (param $observed i32)
  (local $w i32) (local $T i64) (local $F i64) (local $rises i64) (local $last i64) (local $t i64) (local $i i32)
  (local.set $last (i64.load (local.get $state)))
  (loop $words
    (local.set $T (i64.load (i32.add (local.get $arg0) (local.get $w))))
    (local.set $F (i64.load offset=HALF (i32.add (local.get $arg0) (local.get $w))))
    (local.set $rises (call $rises (local.get $T) (local.get $F) (local.get $last)))
    (local.set $last (call $last_known (local.get $T) (local.get $F) (local.get $last)))
    (block $done (loop $runs
      (br_if $done (i64.eqz (local.get $rises)))
      (local.set $i (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (i64.ctz (local.get $rises)))))
      (local.set $rises (i64.and (local.get $rises) (i64.sub (local.get $rises) (i64.const 1))))
      (local.set $t (i64.load (i32.add (global.get $tt) (i32.shl (local.get $i) (i32.const 3)))))
      (if (i32.or (i64.eqz (i64.load offset=8 (local.get $memory)))
            (i64.ge_u (i64.sub (local.get $t) (i64.load (local.get $memory))) (local.get $cooldown)))
        (then
          (call $put_fire (local.get $t) (local.get $i) (local.get $trigger))
          (i64.store (local.get $memory) (local.get $t))
          (i64.store offset=8 (local.get $memory) (i64.const 1)))
        (else
          (i64.store offset=16 (local.get $memory) (i64.add (i64.load offset=16 (local.get $memory)) (i64.const 1)))))
      (br $runs)))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
  (i64.store (local.get $state) (local.get $last))
  (if (global.get $weighing) (then (call $weigh (local.get $observed)))))

(func $put_fire (param $t i64) (param $i i32) (param $trigger i32)
  (local $at i32)
  (local.set $at (i32.shl (global.get $fires) (i32.const 4)))
  (i64.store offset=FIRES (local.get $at) (local.get $t))
  (i32.store offset=FIRE_ROWS (local.get $at) (if (result i32) (global.get $in_place)
    (then (i32.add (global.get $row) (local.get $i)))
    (else (i32.and (i32.load offset=TICK_ROWS (i32.shl (local.get $i) (i32.const 2))) (i32.const 0x7fffffff)))))
  (i32.store offset=FIRE_TRIGGERS (local.get $at) (local.get $trigger))
  (global.set $fires (i32.add (global.get $fires) (i32.const 1))))

;; ---- Exports

;; Evaluate the first `rows` rows of the row buffers; returns the rows consumed. It stops when the fires of one more
;; block might not fit: read the fires and call again with the remaining rows. It also stops before a negative time.
(func (export "run") (param $rows i32) (result i32)
  (local $row i32) (local $limit i32) (local $n i32)
  (global.set $fires (i32.const 0))
  (global.set $patience (i32.const FIRST_PATIENCE))
  (if (i32.gt_u (local.get $rows) (i32.const ROW_CAPACITY)) (then (local.set $rows (i32.const ROW_CAPACITY))))
  (block $stop (loop $blocks
    (br_if $stop (i32.ge_u (local.get $row) (local.get $rows)))
    (br_if $stop (i32.gt_u (global.get $fires) (i32.const FIRE_LIMIT)))
    (global.set $new (i32.const 0))
    (global.set $gap_at (i32.const CHUNK))
    (local.set $limit (i32.sub (local.get $rows) (local.get $row)))
    (if (i32.gt_u (local.get $limit) (i32.const CHUNK)) (then (local.set $limit (i32.const CHUNK))))
    LISTS_BEGIN_BLOCK
    (local.set $n (call $rows_in_place (local.get $row) (local.get $limit)))
    (if (i32.or (i32.ge_u (local.get $n) (i32.const 64)) (i32.eq (local.get $n) (local.get $limit)))
      (then
        (global.set $patience (i32.const FIRST_PATIENCE))
        (call $take_in_place (local.get $row) (local.get $n))
        LISTS_TAKEN
        (local.set $row (i32.add (local.get $row) (local.get $n)))
        (if (global.get $weighing) (then (call $begin_weighing)))
        (call $evaluate))
      (else
        (if (i32.gt_u (local.get $limit) (global.get $patience)) (then
          (local.set $limit (global.get $patience))
          (global.set $patience (i32.shl (global.get $patience) (i32.const 1)))))
        (local.set $n (call $collect (local.get $row) (local.get $limit)))
        (br_if $stop (i32.eqz (i32.or (local.get $n) (global.get $count))))
        (local.set $row (i32.add (local.get $row) (local.get $n)))
        (if (global.get $count) (then
          (if (global.get $weighing) (then (call $begin_weighing)))
          (call $evaluate)))))
    (br $blocks)))
  (i32.store (i32.const FIRE_COUNT) (global.get $fires))
  (local.get $row))

;; The drive is over: no heartbeat follows its last row, and the next row begins a segment.
(func (export "end")
  (i32.store (i32.const RUNNING) (i32.const 0))
  END_EVENTS)

;; Return to the initial state.
(func $reset (export "reset")
  (global.set $until (i64.const 0))
  (memory.fill (i32.const STATE) (i32.const 0) (i32.const STATE_BYTES))
  (memory.copy (i32.const SEGMENT) (i32.const IMAGE) (i32.const SEGMENT_BYTES))
  LISTS_EMPTY)
