import "common.trigger"
import common as c
import "common.trigger" as budget
import "common.trigger" as within
file "common.trigger" {
    let a = true
