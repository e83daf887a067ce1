# An imported file says `language 2`, and this one does not.
import "common.trigger" as c
trigger fast { when ego.speed > c.limit }
file "common.trigger" {
    language 2
    param limit = 30 m/s
}
