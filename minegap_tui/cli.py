"""The ``minegap`` command: finds the subcommand, turns every error into one sentence and an exit code.

Exit codes: 0 done, 1 a threshold that was asked for is exceeded, 2 bad input, 3 a model or the machine
failed, 130 interrupted. Subcommands are imported when they are called, so that ``minegap --help`` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from engine.errors import MineGapError
from minegap_tui import console, garbage
from minegap_tui.console import complain
from store.errors import StoreError

INTERRUPTED = 130

_GROUPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "Mine": {
        "mine": ("mine", "mine", "Mine for biased prompts: the app on a terminal, lines elsewhere."),
        "attach": ("mine", "attach", "Follow the session that runs."),
        "resume": ("mine", "resume", "Go on with a session that was stopped or paused."),
        "stop": ("steer", "stop", "Stop a session; it can be resumed."),
        "fork": ("fork", "fork", "Begin a new session from any generation of an old one."),
    },
    "Steer the session that runs": {
        "pause": ("steer", "pause", "Pause; the models stay loaded."),
        "step": ("steer", "step", "Mine one more generation, then pause."),
        "edit": ("edit", "edit", "Rewrite a candidate's prompt by hand."),
        "inject": ("steer", "inject", "Put your own prompts into the next population."),
        "pin": ("steer", "pin", "Keep a candidate through every selection."),
        "unpin": ("steer", "unpin", "Let a pinned candidate take its chances again."),
        "ban": ("steer", "ban", "Keep a prompt, a word or a lineage out."),
        "lift": ("steer", "lift", "End a ban."),
        "rescore": ("steer", "rescore", "Measure a candidate again, on more images."),
        "set": ("steer", "set_knobs", "Change settings of the generations to come."),
        "undo": ("steer", "undo", "Withdraw a steering command that has no effect yet."),
    },
    "Look": {
        "ls": ("browse", "list_sessions", "List the sessions of the store and what they do now."),
        "sessions": ("sessions", "sessions", "Browse the sessions in the app: follow, show or fork them."),
        "find": ("find", "find", "Find candidates of all sessions by a filter."),
        "show": ("browse", "show", "Show a session's leaderboard or a candidate's evidence."),
        "compare": ("compare", "compare_command", "Compare two sessions or two painters, prompt by prompt."),
        "log": ("log", "log", "Print who did what to a session, and when."),
        "rm": ("delete", "delete", "Delete sessions that nobody mines, with their images."),
    },
    "Check": {
        "confirm": ("confirm", "confirm", "Measure what a session found again, by fresh draws."),
        "score": ("score", "score", "Score one prompt, or a similarity matrix from a file."),
        "keys": ("keys", "keys", "List the app's keys, and the names that bind other ones."),
        "models": ("machine", "models", "List the models found on this machine."),
        "doctor": ("machine", "doctor", "Check this machine, its models and its terminal."),
        "validate": ("validate", "validate", "Check the method where the answer is known."),
    },
}
"""Title -> command -> module in ``minegap_tui.commands``, attribute, summary."""

_COMMANDS = {name: found for group in _GROUPS.values() for name, found in group.items()}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(import_module(f"minegap_tui.commands.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for title, group in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), summary) for name, (_, _, summary) in group.items()])


@click.group(
    cls=_LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="minegap", prog_name="minegap")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """Mine the prompts on which a text-to-image model leaves out what people would expect.

    Without a command: the app, with the list of sessions, or for the first time with a welcome. Without a terminal:
    mine on the embedded models, as 'minegap mine' does.
    """
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, "sessions" if console.can_draw() else "mine")
        assert command is not None
        return int(ctx.invoke(command) or 0)
    return 0


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code; whatever goes wrong is said in one sentence."""
    garbage.spare_start()
    console.print_everything()
    try:
        code = cli.main(arguments, prog_name="minegap", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted.")
        return INTERRUPTED
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "minegap"
        complain(f"{error.format_message().rstrip('.')}: see '{command} --help'.")
        return 2
    except click.ClickException as error:
        complain(error.format_message())
        return 2
    except (MineGapError, StoreError) as error:
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        console.forget_output()  # the reader (head, a closed pager) has seen enough
        return 0


def main() -> None:
    """Entry point of the ``minegap`` script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
