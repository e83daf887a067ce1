"""Trust documents: which keys vehicles trust for what, signed by offline root keys, in the manner of TUF.

Its versions form a chain: each is signed by enough root keys of the version before and by enough of its own. So root
keys can be replaced, a stolen key can be taken out, and a vehicle that was away for long can follow step by step
(The Update Framework, specification 1.0, sections 5.3 and 6.1; Uptane Standard 2.1, section 5.4.4.3).
"""

from triggers.contracts.trust.answer import MAX_STEPS, steps_and_list, with_steps
from triggers.contracts.trust.chain import MAX_TRUST_BYTES, open_first, open_own, open_step, require_in_force
from triggers.contracts.trust.document import Role, RoleKeys, TrustDocument, encoded_key

__all__ = [
    "MAX_STEPS",
    "MAX_TRUST_BYTES",
    "Role",
    "RoleKeys",
    "TrustDocument",
    "encoded_key",
    "open_first",
    "open_own",
    "open_step",
    "require_in_force",
    "steps_and_list",
    "with_steps",
]
