trigger t { when driver.brake }
campaign c {
    collect t
    budget 1 GB total
    retain 400 d
}
