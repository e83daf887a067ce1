"""The Python client of the API: contract types in and out, errors as the server raised them.

    from fleet_api.client import ApiClient

    with ApiClient("https://fleet.example", token) as client:
        for clip in client.clips.search("trigger = 'cut_in_missed'", limit=20):
            print(clip.id, client.clips.get(clip.id).assets)

One attribute per subject: `campaigns`, `vehicles`, `clips`, `labels`, `budget`, `outcomes`, `dead_letters`, `health`.
Methods return the types of `triggers.contracts.api`; members that a newer server adds are ignored. Methods raise the
errors of `triggers.errors`: those that the server reports, Unreachable where nothing answers, Misconfigured where
something else than Longtail does, InvalidInput for what cannot even be sent.

`open_client` finds the deployment of this machine. `fleet_api.client.campaign_files` compiles a trigger file and
applies it; it needs the compiler, and so is imported by those alone who call it.
"""

from fleet_api.client.client import ApiClient
from fleet_api.client.connect import open_client

__all__ = ["ApiClient", "open_client"]
