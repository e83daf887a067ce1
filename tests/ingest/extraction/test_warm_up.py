"""The fork server has loaded all that its children need, and nothing that none of them needs.

What once went wrong: the file with the reference set of vectors was no longer read when it was imported, but by the
first vector: in the jail, where the module that reads such files could not be imported any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ingest.extraction.likeness.contract import VECTOR_REQUEST_FILE, VECTOR_RESULT_FILE, VectorRequest
from ingest.extraction.outputs import REQUEST_FILE, RESULT_FILE, ExtractionRequest
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.likeness.channels import channels_of
from triggers.signals.catalog import SignalCatalog

CODE = """
import json, sys
from pathlib import Path
from triggers.processes.refused_imports import refuse_imports
refuse_imports("pandas")
from ingest.extraction.sandbox.fork_server import work_in
from ingest.extraction.sandbox.warm_up import warm_up

warm_up()
warm = set(sys.modules)
work_in(Path(sys.argv[1]))
Path(sys.argv[1], sys.argv[2]).write_text(sys.argv[3])
work_in(Path(sys.argv[1]))
print(json.dumps(sorted(set(sys.modules) - warm)))
"""


def test_children_import_nothing_more(tmp_path: Path) -> None:
    recording = footage.recording()
    footage.write(tmp_path, recording, footage.footage())
    request = ExtractionRequest(recording=recording, latitude=None, longitude=None, derived_bytes=10**7)
    (tmp_path / REQUEST_FILE).write_bytes(request.canonical_json())
    channels = channels_of([SignalCatalog.parse(footage.CATALOG, name="signals.yaml")], ["speed"])
    vector = VectorRequest.of(channels, T_NS).canonical_json().decode()
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(tmp_path), VECTOR_REQUEST_FILE, vector],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == []
    assert (tmp_path / RESULT_FILE).is_file()
    assert json.loads((tmp_path / VECTOR_RESULT_FILE).read_bytes())["vector"] is not None
