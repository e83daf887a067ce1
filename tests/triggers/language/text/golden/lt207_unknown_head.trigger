trigger t {
    when disagree(cut_in.detect)
}
