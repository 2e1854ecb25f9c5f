"""Collects from the exchange, where every student of a machine can write."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from nbgrader.exchange.default import ExchangeCollect


class CollectAnyName(ExchangeCollect):
    """Collects what students submitted, whatever a folder in the exchange is called.

    nbgrader takes the time of a submission from the folder's name, and stops at one that tells
    none. Here such a folder is the oldest of its student's.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except Exception:  # whatever a parser makes of a stranger's text
            self.log.warning(
                "%s: expected a name that ends in a time such as '2022-10-04 23:59:00 UTC', found "
                "none: it is taken for its student's oldest submission. Look at it, and remove it",
                path,
            )
            name = os.path.basename(path)
            record = {
                "username": name.partition("+")[0],
                "filename": name,
                "timestamp": datetime.min,
            }
        return record
