# An imported file says a version that does not exist: told once.
import "common.trigger" as c
trigger fast { when ego.speed > c.limit }
file "common.trigger" {
    language 3
    param limit = 30 m/s
}
