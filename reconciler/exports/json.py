"""One JSON object: name of the credential, variable, value."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reconciler.consumption import Revealed, together
from reconciler.exports import Options


def text(revealed: Sequence[Revealed], options: Options) -> str:
    """Names do not mix here, so that no prefix is needed."""
    whole = {
        one.name: {name: value.reveal() for name, value in together([one], prefixed=options.prefixed).items()}
        for one in revealed
    }
    return json.dumps(whole, indent=2) + "\n"
