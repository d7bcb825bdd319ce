"""The writer worker: one LLM, one task at a time.

Started by the engine as ``python -m engine.workers.writer``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.errors import MachineError
from engine.models.offline import switch_off_network
from engine.models.protocols import Direction, Written
from engine.packs import Pack, resolve_pack
from engine.workers.desk import Desk
from engine.workers.manners import give_way
from engine.workers.messages import ExchangeData, Load, Request, Texts, Write, WriterLoaded

if TYPE_CHECKING:
    from engine.models.protocols import Writer


class WriterDesk:
    """Hosts one writer."""

    writer: Writer

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handle(self, request: Request) -> None:
        """Carry out one request and reply to it."""
        if isinstance(request, Write):
            written = self._write(request)
            exchanges = tuple(
                ExchangeData(request=one.request, reply=one.reply, seed=one.seed, verdict=one.verdict)
                for one in written.exchanges
            )
            reply = Texts(id=request.id, texts=written.texts, exchanges=exchanges, notes=written.notes)
            self._desk.reply(reply)
        elif isinstance(request, Load):
            config = parse_config(request.config, "the session's configuration")
            self.writer = load_writer_of(config, resolve_pack(config))
            from llama_cpp import llama_supports_gpu_offload

            if config.writer.gpu_layers == 0 or not llama_supports_gpu_offload():
                give_way()
            self._desk.reply(WriterLoaded(id=request.id, writer=self.writer.fingerprint))

    def _write(self, request: Write) -> Written:
        direction = Direction(axis=request.axis, theme=request.theme)
        if request.kind == "variations":
            return self.writer.variations(request.prompt, request.count, request.seed, direction)
        if request.kind == "mutations":
            return self.writer.mutations(request.prompt, request.count, request.seed, direction)
        if request.kind == "random":
            return self.writer.random_prompts(request.count, request.seed, direction, request.avoid)
        raise MachineError(f"The writer knows no task {request.kind!r}.")


def load_writer_of(config: MiningConfig, pack: Pack) -> Writer:
    """Load the configured LLM and the scorer's tokenizer, which limits what it may write.

    Raises:
        InputError: one of them cannot be used.
        MachineError: there is no memory for it.
    """
    from engine.models.tokens import load_token_counter
    from engine.models.writer import WriterSettings, load_writer

    counter = load_token_counter(Path(pack.scorer))
    settings = pack.writer_settings
    context = settings["context"]
    return load_writer(
        Path(pack.writer),
        WriterSettings(
            context=None if context is None else int(context),
            temperature=settings["temperature"],
            gpu_layers=config.writer.gpu_layers,
            threads=config.writer.threads,
            prompts=pack.prompts,
        ),
        counter,
        counter.limit,
    )


def main() -> None:
    """Serve the engine until it closes the pipe."""
    desk = Desk()
    switch_off_network()
    desk.work(WriterDesk(desk).handle)


if __name__ == "__main__":
    main()
