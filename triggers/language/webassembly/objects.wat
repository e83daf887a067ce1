;; The objects of one list: the slots that they have, and what each of them shows over the ticks of a block. A module has
;; this once for each list, with the list's number for `@` and its own numbers for the words that begin with LIST.
;;
;; While a block is made, `$take_objects` is asked for every row in turn. It finds the slots of the objects of the row's
;; sample, by the slot that came after the one before last time, else by a search among the keys in order. A row with an
;; object that is new must be the block's first one: only then, between two blocks, may a slot change its owner. An
;; object is *over* at a time that is more than LIST_MAX_AGE after it was seen; the time of an empty slot is far below 0,
;; so that unsigned differences tell both at once.

(global $samples@ (mut i32) (i32.const 0))  ;; samples of the list in the block

;; ---- Slots

(func $empty_slots@
  (memory.fill (i32.const LIST_SEEN) (i32.const 0x80) (i32.const LIST_SEEN_BYTES))
  (memory.fill (i32.const LIST_SORTED) (i32.const 0xff) (i32.const LIST_SORTED_BYTES)))

;; The offset of a key among the keys in order, or of the first that is greater (as unsigned numbers).
(func $position@ (param $key i64) (result i32)
  (local $at i32)
  LIST_SEARCH
  (local.get $at))

;; The slot of the object with this key, or -1 if it has none or is over.
(func $slot_of@ (param $key i64) (param $t i64) (result i32)
  (local $at i32) (local $slot i32)
  (local.set $at (call $position@ (local.get $key)))
  (if (i64.ne (i64.load offset=LIST_SORTED (local.get $at)) (local.get $key)) (then (return (i32.const -1))))
  (local.set $slot (i32.load offset=LIST_SORTED_SLOTS (i32.shr_u (local.get $at) (i32.const 1))))
  (if (i32.lt_s (local.get $slot) (i32.const 0)) (then (return (i32.const -1))))
  (if (call $is_over@ (local.get $slot) (local.get $t)) (then (return (i32.const -1))))
  (local.get $slot))

(func $is_over@ (param $slot i32) (param $t i64) (result i32)
  (i64.gt_u (i64.sub (local.get $t) (i64.load offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3))))
    (i64.const LIST_MAX_AGE)))

;; How many objects of a row's sample are looked at.
(func $objects_of@ (param $row i32) (result i32)
  (local $n i32)
  (local.set $n (i32.trunc_sat_f64_u (f64.load offset=LIST_COLUMN (i32.shl (local.get $row) (i32.const 3)))))
  (select (local.get $n) (i32.const LIST_MAX) (i32.lt_u (local.get $n) (i32.const LIST_MAX))))

(func $has_sample@ (param $row i32) (result i32)
  (local $n f64)
  (local.set $n (f64.load offset=LIST_COLUMN (i32.shl (local.get $row) (i32.const 3))))
  (f64.eq (local.get $n) (local.get $n)))

;; FOUND: the slot of each object of a row's sample at `t`, -1 for one that is new; 1 if there is one.
(func $find_slots@ (param $row i32) (param $t i64) (result i32)
  (local $i i32) (local $end i32) (local $at i32) (local $key i64) (local $slot i32) (local $is_new i32)
  (local.set $end (i32.shl (call $objects_of@ (local.get $row)) (i32.const 2)))
  (local.set $at (i32.shl (i32.load offset=LIST_STARTS (i32.shl (local.get $row) (i32.const 2))) (i32.const 3)))
  (local.set $slot (i32.const LIST_MAX))
  (block $done (loop $objects
    (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
    (local.set $key (i64.load offset=LIST_KEYS (local.get $at)))
    (local.set $slot (i32.load offset=LIST_NEXT (i32.shl (local.get $slot) (i32.const 2))))
    (if (i32.or
          (i64.ne (i64.load offset=LIST_OWNERS (i32.shl (local.get $slot) (i32.const 3))) (local.get $key))
          (call $is_over@ (local.get $slot) (local.get $t)))
      (then
        (local.set $slot (call $slot_of@ (local.get $key) (local.get $t)))
        (if (i32.lt_s (local.get $slot) (i32.const 0)) (then
          (local.set $is_new (i32.const 1))
          (i32.store offset=LIST_FOUND (local.get $i) (i32.const -1))
          (local.set $slot (i32.const LIST_MAX)))
        (else (i32.store offset=LIST_FOUND (local.get $i) (local.get $slot)))))
      (else (i32.store offset=LIST_FOUND (local.get $i) (local.get $slot))))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (local.set $i (i32.add (local.get $i) (i32.const 4)))
    (br $objects)))
  (local.get $is_new))

;; Give every object of a row's sample that is new a slot: the lowest that is empty or whose object is over, else that
;; of the absent object that was seen least recently. Those that are present were seen at `t`.
(func $place_new@ (param $row i32) (param $t i64)
  (local $i i32) (local $end i32) (local $at i32) (local $key i64) (local $slot i32) (local $free i32)
  (local.set $end (i32.shl (call $objects_of@ (local.get $row)) (i32.const 2)))
  (local.set $at (i32.shl (i32.load offset=LIST_STARTS (i32.shl (local.get $row) (i32.const 2))) (i32.const 3)))
  (block $done (loop $objects
    (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
    (local.set $slot (i32.load offset=LIST_FOUND (local.get $i)))
    (if (i32.ge_s (local.get $slot) (i32.const 0)) (then
      (i64.store offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3)) (local.get $t))))
    (local.set $i (i32.add (local.get $i) (i32.const 4)))
    (br $objects)))
  (local.set $i (i32.const 0))
  (block $done (loop $objects
    (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
    (if (i32.lt_s (i32.load offset=LIST_FOUND (local.get $i)) (i32.const 0)) (then
      (local.set $key (i64.load offset=LIST_KEYS (local.get $at)))
      (local.set $slot (call $slot_of@ (local.get $key) (local.get $t)))
      (if (i32.lt_s (local.get $slot) (i32.const 0)) (then ;; else an object before it has the same key
        (local.set $free (call $free_from@ (local.get $free) (local.get $t)))
        (local.set $slot (if (result i32) (i32.lt_u (local.get $free) (i32.const LIST_MAX))
          (then (local.get $free)) (else (call $least_recent@))))
        (call $own@ (local.get $slot) (local.get $key) (local.get $t))))
      (i32.store offset=LIST_FOUND (local.get $i) (local.get $slot))))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (local.set $i (i32.add (local.get $i) (i32.const 4)))
    (br $objects))))

;; The first slot from `slot` on that is empty or whose object is over; LIST_MAX if there is none.
(func $free_from@ (param $slot i32) (param $t i64) (result i32)
  (block $found (loop $slots
    (br_if $found (i32.ge_u (local.get $slot) (i32.const LIST_MAX)))
    (br_if $found (call $is_over@ (local.get $slot) (local.get $t)))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (br $slots)))
  (local.get $slot))

(func $least_recent@ (result i32)
  (local $slot i32) (local $best i32) (local $seen i64) (local $best_seen i64)
  (local.set $best_seen (i64.const 0x7fffffffffffffff))
  (loop $slots
    (local.set $seen (i64.load offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3))))
    (if (i64.lt_s (local.get $seen) (local.get $best_seen)) (then
      (local.set $best (local.get $slot))
      (local.set $best_seen (local.get $seen))))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (br_if $slots (i32.lt_u (local.get $slot) (i32.const LIST_MAX))))
  (local.get $best))

;; A slot begins to belong to the object with this key: its state is that of a segment's beginning.
(func $own@ (param $slot i32) (param $key i64) (param $t i64)
  (local $at i32)
  (call $forget@ (local.get $key) (i32.const -1)) ;; a slot that the object had before it was over
  (call $forget@ (i64.load offset=LIST_OWNERS (i32.shl (local.get $slot) (i32.const 3))) (local.get $slot))
  (local.set $at (call $position@ (local.get $key)))
  (call $move_keys@ (i32.add (local.get $at) (i32.const 8)) (local.get $at))
  (i64.store offset=LIST_SORTED (local.get $at) (local.get $key))
  (i32.store offset=LIST_SORTED_SLOTS (i32.shr_u (local.get $at) (i32.const 1)) (local.get $slot))
  (i64.store offset=LIST_OWNERS (i32.shl (local.get $slot) (i32.const 3)) (local.get $key))
  (i64.store offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3)) (local.get $t))
  (memory.copy (i32.add (i32.const LIST_SLOTS) (i32.mul (local.get $slot) (i32.const LIST_SLOT_BYTES)))
    (i32.const LIST_IMAGE) (i32.const LIST_IMAGE_BYTES)))

;; Take a key out of those in order, if it has this slot (-1: any).
(func $forget@ (param $key i64) (param $slot i32)
  (local $at i32) (local $of_key i32)
  (local.set $at (call $position@ (local.get $key)))
  (local.set $of_key (i32.load offset=LIST_SORTED_SLOTS (i32.shr_u (local.get $at) (i32.const 1))))
  (if (i64.ne (i64.load offset=LIST_SORTED (local.get $at)) (local.get $key)) (then (return)))
  (if (i32.lt_s (local.get $of_key) (i32.const 0)) (then (return)))
  (if (i32.and (i32.ge_s (local.get $slot) (i32.const 0)) (i32.ne (local.get $slot) (local.get $of_key))) (then (return)))
  (call $move_keys@ (local.get $at) (i32.add (local.get $at) (i32.const 8))))

;; Move the keys from offset `from` on, with their slots, to offset `to`; the last one is never in use.
(func $move_keys@ (param $to i32) (param $from i32)
  (local $size i32)
  (local.set $size (i32.sub (i32.const LIST_KEYS_BYTES)
    (select (local.get $to) (local.get $from) (i32.gt_u (local.get $to) (local.get $from)))))
  (memory.copy (i32.add (i32.const LIST_SORTED) (local.get $to)) (i32.add (i32.const LIST_SORTED) (local.get $from))
    (local.get $size))
  (memory.copy (i32.add (i32.const LIST_SORTED_SLOTS) (i32.shr_u (local.get $to) (i32.const 1)))
    (i32.add (i32.const LIST_SORTED_SLOTS) (i32.shr_u (local.get $from) (i32.const 1)))
    (i32.shr_u (local.get $size) (i32.const 1))))

;; ---- The samples of a block

(func $begin_samples@
  (global.set $samples@ (i32.const 0))
  (memory.fill (i32.const LIST_PLACES_OF) (i32.const 0) (i32.const LIST_SEEN_BYTES)))

;; Take a row's sample, which is at the block's tick `tick`, once every object of it has a slot. Of each slot there are
;; the places of its objects in the buffers, sample by sample; their number, and the sample of the latest, from 1 on.
(func $take_sample@ (param $row i32) (param $t i64) (param $tick i32)
  (local $place i32) (local $end i32) (local $found i32) (local $slot i32) (local $of_slot i32) (local $count i32)
  (local $before i32) (local $sample i32)
  (local.set $place (i32.load offset=LIST_STARTS (i32.shl (local.get $row) (i32.const 2))))
  (local.set $end (i32.add (local.get $place) (call $objects_of@ (local.get $row))))
  (call $count_left_out@
    (i64.sub (i64.trunc_sat_f64_u (f64.load offset=LIST_COLUMN (i32.shl (local.get $row) (i32.const 3))))
      (i64.extend_i32_u (i32.sub (local.get $end) (local.get $place)))))
  (i32.store offset=LIST_SAMPLE_TICKS (i32.shl (global.get $samples@) (i32.const 2)) (local.get $tick))
  (i32.store offset=LIST_SAMPLE_ENDS (i32.shl (global.get $samples@) (i32.const 2)) (local.get $end))
  (local.set $sample (i32.add (global.get $samples@) (i32.const 1)))
  (global.set $samples@ (local.get $sample))
  (local.set $before (i32.const LIST_MAX))
  (block $done (loop $objects
    (br_if $done (i32.ge_u (local.get $place) (local.get $end)))
    (local.set $slot (i32.load offset=LIST_FOUND (local.get $found)))
    (local.set $of_slot (i32.shl (local.get $slot) (i32.const 3)))
    (if (i32.eq (i32.load offset=LIST_LATEST_OF (local.get $of_slot)) (local.get $sample))
      (then (call $count_left_out@ (i64.const 1)))
      (else
        (local.set $count (i32.load offset=LIST_PLACES_OF (local.get $of_slot)))
        (i32.store offset=LIST_PLACES (i32.add (i32.mul (local.get $slot) (i32.const LIST_PLACES_BYTES))
          (i32.shl (local.get $count) (i32.const 2))) (local.get $place))
        (i32.store offset=LIST_PLACES_OF (local.get $of_slot) (i32.add (local.get $count) (i32.const 1)))
        (i32.store offset=LIST_LATEST_OF (local.get $of_slot) (local.get $sample))
        (i64.store offset=LIST_SEEN (local.get $of_slot) (local.get $t))
        (i32.store offset=LIST_NEXT (i32.shl (local.get $before) (i32.const 2)) (local.get $slot))
        (local.set $before (local.get $slot))))
    (local.set $place (i32.add (local.get $place) (i32.const 1)))
    (local.set $found (i32.add (local.get $found) (i32.const 4)))
    (br $objects))))

(func $count_left_out@ (param $n i64)
  (i64.store (i32.const LIST_LEFT_OUT) (i64.add (i64.load (i32.const LIST_LEFT_OUT)) (local.get $n))))

;; ---- The objects over the ticks of a block

;; KNOWN: the ticks at which the list is known.
(func $know_list@
  (local $w i32) (local $column i32)
  (local.set $column (i32.add (global.get $x) (i32.mul (global.get $x_stride) (i32.const LIST_INPUT))))
  (loop $words
    (i64.store offset=LIST_KNOWN (local.get $w) (i64.and
      (call $numbers_word (i32.add (local.get $column) (i32.shl (local.get $w) (i32.const 6))))
      (select (global.get $tail) (i64.const -1) (i32.eq (i32.add (local.get $w) (i32.const 8)) (global.get $words)))))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (global.get $words)))))

;; Begin with the object in a slot, whose state is at `base`: OBJECT_AT and PRESENT over the ticks. 0 if the slot is
;; empty, or is left at the first tick.
(func $begin_object@ (param $slot i32) (param $base i32) (result i32)
  (local $seen i64)
  (local.set $seen (i64.load offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3))))
  (if (i64.lt_s (local.get $seen) (i64.const 0)) (then (return (i32.const 0))))
  (global.set $leaves (i32.const 0))
  (if (i64.gt_s (i64.sub (call $last_time) (local.get $seen)) (i64.const LIST_MAX_AGE)) (then
    (if (call $leave@ (local.get $slot) (local.get $seen)) (then (return (i32.const 0))))))
  (call $locate@ (local.get $slot) (i32.load (local.get $base)))
  (call $find_present (i32.const LIST_KNOWN))
  (i32.const 1))

;; An object is over at the block's last tick: unless the list does not tick before that, it leaves its slot. 1 if that is
;; at the first tick.
(func $leave@ (param $slot i32) (param $seen i64) (result i32)
  (local $left i32)
  (local.set $left (call $tick_over (i32.const LIST_DUE) (local.get $seen) (i64.const LIST_MAX_AGE)))
  (if (i32.eq (local.get $left) (global.get $count)) (then (return (i32.const 0))))
  (i64.store offset=LIST_SEEN (i32.shl (local.get $slot) (i32.const 3)) (i64.const 0x8080808080808080))
  (if (i32.eqz (local.get $left)) (then (return (i32.const 1))))
  (call $end_masks (local.get $left))
  (i32.const 0))

;; OBJECT_AT: the place of the slot's object in the buffers at each tick; HELD_PLACE where the latest sample is one before
;; the block, ABSENT where the object is not in the latest sample.
(func $locate@ (param $slot i32) (param $is_present i32)
  (local $value i32) (local $at i32) (local $sample i32) (local $samples_end i32) (local $place i32) (local $end i32)
  (local.set $value (select (i32.const HELD_PLACE) (i32.const ABSENT) (local.get $is_present)))
  (local.set $place (i32.mul (local.get $slot) (i32.const LIST_PLACES_BYTES)))
  (local.set $end (i32.add (local.get $place)
    (i32.shl (i32.load offset=LIST_PLACES_OF (i32.shl (local.get $slot) (i32.const 3))) (i32.const 2))))
  (local.set $samples_end (i32.shl (global.get $samples@) (i32.const 2)))
  (block $done (loop $samples
    (br_if $done (i32.ge_u (local.get $sample) (local.get $samples_end)))
    (local.set $at (call $put_places (local.get $at) (local.get $value)
      (i32.shl (i32.load offset=LIST_SAMPLE_TICKS (local.get $sample)) (i32.const 2))))
    (local.set $value (i32.const ABSENT))
    (if (i32.lt_u (local.get $place) (local.get $end)) (then
      (if (i32.lt_u (i32.load offset=LIST_PLACES (local.get $place))
            (i32.load offset=LIST_SAMPLE_ENDS (local.get $sample)))
        (then
          (local.set $value (i32.load offset=LIST_PLACES (local.get $place)))
          (local.set $place (i32.add (local.get $place) (i32.const 4)))))))
    (local.set $sample (i32.add (local.get $sample) (i32.const 4)))
    (br $samples)))
  (drop (call $put_places (local.get $at) (local.get $value) (i32.shl (global.get $count) (i32.const 2)))))

;; End with the object in a slot: its latest fields are held for the next block.
(func $end_object@ (param $slot i32) (param $base i32)
  (local $place i32) (local $count i32)
  (if (global.get $leaves) (then (call $restore_masks)))
  (if (i32.eqz (global.get $samples@)) (then (return)))
  (local.set $count (i32.load offset=LIST_PLACES_OF (i32.shl (local.get $slot) (i32.const 3))))
  (local.set $place (i32.const -1))
  (if (i32.eq (i32.load offset=LIST_LATEST_OF (i32.shl (local.get $slot) (i32.const 3))) (global.get $samples@)) (then
    (local.set $place (i32.load offset=LIST_PLACES (i32.add (i32.mul (local.get $slot) (i32.const LIST_PLACES_BYTES))
      (i32.shl (i32.sub (local.get $count) (i32.const 1)) (i32.const 2)))))))
  (i32.store (local.get $base) (i32.ge_s (local.get $place) (i32.const 0)))
  (if (i32.ge_s (local.get $place) (i32.const 0)) (then
    (local.set $place (i32.shl (local.get $place) (i32.const 3)))
    LIST_HOLD_FIELDS)))

;; The key as a number at each tick at which the object is present, which a float64 can only tell from others up to 2^53.
(func $fill_key@ (param $slot i32) (param $out i32)
  (local $key i64) (local $number f64) (local $i i32)
  (local.set $key (i64.load offset=LIST_OWNERS (i32.shl (local.get $slot) (i32.const 3))))
  (local.set $number (select (f64.convert_i64_s (local.get $key)) (f64.const nan)
    (i64.le_u (i64.add (local.get $key) (i64.const 0x20000000000000)) (i64.const 0x40000000000000))))
  (loop $ticks
    (f64.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3)))
      (select (f64.const nan) (local.get $number)
        (i32.eq (i32.load offset=OBJECT_AT (i32.shl (local.get $i) (i32.const 2))) (i32.const ABSENT))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $ticks (i32.lt_u (local.get $i) (global.get $count)))))
