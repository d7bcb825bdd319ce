"""The writer worker: one LLM, one task at a time. Started by the engine as ``python -m engine.workers.writer``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import MiningConfig, parse_config
from engine.errors import InputError
from engine.models.offline import switch_off_network
from engine.models.protocols import Direction, Writer, Written
from engine.packs import Pack, resolve_pack
from engine.workers.desk import Desk
from engine.workers.messages import ExchangeData, Load, Request, Texts, Write, WriterLoaded
