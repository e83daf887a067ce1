"""The Python client of the API: contract types in and out, errors as the server raised them.

    from fleet_api.client import Client

    with Client("https://fleet.example", token) as client:
        for clip in client.clips.search("trigger = 'cut_in_missed'", limit=20):
            print(clip.id, client.clips.get(clip.id).assets)

One attribute per subject: `campaigns`, `vehicles`, `clips`, `labels`, `budget`, `costs` and so on.
Methods return the types of `triggers.contracts.api`; members that a newer server adds are ignored. Methods raise the
errors of `triggers.errors`: those that the server reports, Unreachable if nothing answers, Misconfigured if something
other than Longtail answers, and InvalidInput for a request that cannot be sent.

`open_client` finds the deployment of this machine. `fleet_api.client.campaign_files` compiles a trigger file and
applies it; import it separately, because it needs the compiler.
"""

from fleet_api.client.client import Client
from fleet_api.client.connect import open_client

__all__ = ["Client", "open_client"]
