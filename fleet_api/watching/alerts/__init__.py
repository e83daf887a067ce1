"""Alert rules, defined once: as a Prometheus rules file, and evaluated without Prometheus"""
