"""The doctor: checks everything a deployment needs; each finding is ok, a warning or a failure, with a remedy.

examination.py  all checks in their order           findings.py  what a check says
settings.py     settings, and where they are from   folders.py   data directory, spool, logs, room on their disks
keys.py         keys, trust document, signatures    database.py  server, clock, schema, backlog, fires
log.py          the log, its topic, its readers     ledger.py    budgets against their entries and limits
objects.py      the object store, a sample of it    services.py  API, gateway and ingest
thorough.py     every object and ledger entry (`--full`)
"""

from fleet_api.deployment.doctor.examination import examine
from fleet_api.deployment.doctor.settings import described_settings, settings_of_deployment

__all__ = ["described_settings", "examine", "settings_of_deployment"]
