"""The command line: parse, call, print. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tinygsm_kit.errors import KitError, PendingError

app = typer.Typer(
    name="tinygsm-kit",
    help="Does a change to the data or the tokens make a small model better at grade-school maths, and am I sure?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Stage = Literal["sample", "convert", "inject", "train", "evaluate", "report"]
RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A path, or the name of a recipe that ships with the package.")
]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a dotted key; repeatable.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """Options of every command."""
    if debug:
        os.environ["TINYGSM_KIT_DEBUG"] = "1"


@app.command()
def run(
    recipe: RecipeName,
    set_: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/NAME by default.")] = None,
    until: Annotated[Stage, typer.Option(help="Stop after this stage.")] = "report",
    redo: Annotated[Stage | None, typer.Option(help="Repeat this stage and those after it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Spend up to the budget without asking.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave once batch jobs are submitted; run again for them.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0: one a core.")] = 0,
    launcher: Annotated[Literal["accelerate"] | None, typer.Option(help="Train through `accelerate launch`.")] = None,
    accelerate_config: Annotated[Path | None, typer.Option(help="Its configuration file.")] = None,
    devices: Annotated[
        str, typer.Option(metavar="LIST", help="Train a condition on each of these at once: `0,1`, or `cpu,cpu`.")
    ] = "",
) -> None:
    """Run a recipe from data to verdict; the same command goes on where it was stopped."""
    from tinygsm_kit.pipeline import Settings, carry_out
    from tinygsm_kit.plan import consent, plan, render
    from tinygsm_kit.progress import for_terminal
    from tinygsm_kit.recipe_files import find_recipe, load

    read = load(find_recipe(recipe), [*(set_ or ()), *(["convert.detach=true"] if detach else [])])
    folder = out or Path("runs") / read.name
    if dry_run:
        typer.echo(render(plan(read)))
        return
    if not consent(read, folder, yes, sys.stdin.isatty()):
        raise typer.Exit(1)
    chosen = workers or os.cpu_count() or 1
    at_once = tuple(name.strip() for name in devices.split(",") if name.strip())
    carry_out(read, folder, Settings(until, redo, chosen, launcher, accelerate_config, at_once, for_terminal()))
    if until == "report":
        typer.echo(_summary(folder))
        typer.echo(f"Report: {(folder / 'report' / 'index.html').resolve()}")
    else:
        typer.echo(f"Done up to {until}: {folder}")


def _summary(run: Path) -> str:
    """The gist of a run's report."""
    import json

    from tinygsm_kit.report.markdown import render_summary

    return render_summary(json.loads((run / "report" / "report.json").read_text(encoding="utf-8")))


@app.command(name="plan")
def plan_(
    recipe: RecipeName,
    set_: Overrides = None,
    pilot: Annotated[int, typer.Option(min=0, help="Convert this many rows first, to know the cost.")] = 0,
) -> None:
    """What would run: rows, tokens, money, time, and the smallest effect that could be seen. Nothing is started."""
    from tinygsm_kit.plan import plan, render
    from tinygsm_kit.recipe_files import find_recipe, load

    typer.echo(render(plan(load(find_recipe(recipe), set_ or ()), pilot=pilot)))


@app.command(name="eval")
def eval_(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model directory or hub id.")],
    tasks: Annotated[str, typer.Option(help="Task names, separated by commas.")] = "gsm8k_tgsm,mul_probes",
    out: Annotated[Path | None, typer.Option(help="Folder for results and samples; eval/NAME by default.")] = None,
    gsm8k: Annotated[Path | None, typer.Option(help="Local file or folder with GSM8K's test split.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions a task at most.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sequences generated at a time.")] = 64,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps.")] = None,
    backend: Annotated[str, typer.Option(help="lm-eval's model class: hf, vllm, …")] = "hf",
) -> None:
    """The kit's tasks on any model, through lm-eval."""
    from tinygsm_kit.evaluate.driver import evaluate
    from tinygsm_kit.evaluate.table import table
    from tinygsm_kit.progress import for_terminal

    folder = out or Path("eval") / Path(model).name
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    results = evaluate(
        model, names, folder, gsm8k=gsm8k, limit=limit, batch_size=batch_size, device=device, backend=backend,
        progress=for_terminal(),
    )  # fmt: skip
    typer.echo(table(results))
    typer.echo(f"Results and samples: {folder.resolve()}")


@app.command()
def report(run: RunFolder) -> None:
    """(Re)build the report of a run."""
    from tinygsm_kit.progress import for_terminal
    from tinygsm_kit.report.build import build

    typer.echo(f"Report: {build(_existing(run), for_terminal()).resolve()}")


@app.command()
def show(
    run: RunFolder,
    stage: Annotated[
        Literal["sample", "convert", "inject"], typer.Option(help="How far the rows are to have come.")
    ] = "convert",
    rejected: Annotated[bool, typer.Option("--rejected", help="Rejected rows, with the reason.")] = False,
    labels: Annotated[bool, typer.Option("--labels", help="Token by token: prompt, supervised, masked.")] = False,
    condition: Annotated[str | None, typer.Option(help="Condition whose variant is shown; the last by default.")] = None,
    id_: Annotated[list[str] | None, typer.Option("--id", help="Problem id, or its beginning; repeatable.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="Rows to show.")] = 5,
) -> None:
    """Look at rows: question, program, worked solution, injected text, labels."""
    from tinygsm_kit.browse import show_labels, show_rows

    if labels:
        show_labels(_existing(run), condition=condition, ids=id_ or [], count=count)
    else:
        show_rows(_existing(run), stage=stage, rejected=rejected, condition=condition, ids=id_ or [], count=count)


@app.command()
def export(
    run: RunFolder,
    condition: Annotated[str | None, typer.Option(help="One condition; all by default.")] = None,
    format_: Annotated[Literal["jsonl", "parquet", "hf"], typer.Option("--format", help="File format.")] = "jsonl",
    shards: Annotated[int, typer.Option(min=1, help="Files a condition.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder; RUN/export by default.")] = None,
) -> None:
    """Training files with prompt and completion: one a condition, or N shards."""
    from tinygsm_kit.export import export as write
    from tinygsm_kit.progress import for_terminal

    for path, rows in write(_existing(run), out or run / "export", condition, format_, shards, for_terminal()):
        typer.echo(f"{path}  {rows:,} rows")


@app.command()
def push(
    run: RunFolder,
    to: Annotated[str, typer.Option(metavar="OWNER/NAME", help="The data set; models go to OWNER/NAME-CONDITION.")],
    condition: Annotated[str | None, typer.Option(help="One condition's model; all by default.")] = None,
    only: Annotated[Literal["models", "data"] | None, typer.Option(help="Models without the data set, or it alone.")] = None,
    private: Annotated[bool, typer.Option("--private", help="New repositories are private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every file and its size; send nothing.")] = False,
) -> None:
    """Publish models and training rows with their cards on the Hugging Face hub, as whoever `hf auth login` says."""
    from tinygsm_kit.progress import for_terminal
    from tinygsm_kit.push import listing, repositories
    from tinygsm_kit.push import push as send

    made = repositories(_existing(run), to, condition, only or "all")
    if dry_run:
        typer.echo(listing(made))
        return
    for address in send(made, private or None, for_terminal()):
        typer.echo(address)


@app.command()
def ledger(
    prune: Annotated[bool, typer.Option("--prune", help="Throw answers away; what was spent stays on record.")] = False,
    older_than_days: Annotated[float | None, typer.Option(help="With --prune: only answers older than this.")] = None,
    model: Annotated[str | None, typer.Option(help="With --prune: only this model's answers.")] = None,
) -> None:
    """Paid answers that are kept for all runs: size, spend per model and run."""
    from tinygsm_kit.convert.ledger_report import prune as throw_away
    from tinygsm_kit.listing import ledger_table

    if prune:
        answers, freed = throw_away(older_than_days=older_than_days, model=model)
        typer.echo(f"{answers:,} answers thrown away, {freed / 2**20:.1f} MiB freed")
    typer.echo(ledger_table())


@app.command()
def plugins() -> None:
    """What is installed: kind, name, version, distribution, options."""
    from tinygsm_kit.listing import plugins_table

    typer.echo(plugins_table())


@app.command()
def schema() -> None:
    """The recipe's JSON schema, for editors and checkers."""
    import json

    from tinygsm_kit.recipe import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor() -> None:
    """Versions, devices, credentials present or not, disk, offline or not."""
    from tinygsm_kit.doctor import examine

    typer.echo(examine())


def _existing(run: Path) -> Path:
    if not (run / "manifest.json").is_file():
        raise KitError(
            f"{run}: expected a run directory (with manifest.json), found {'none' if run.exists() else 'nothing there'}"
        )
    return run


def main() -> None:
    """Entry point: exit code 0 done, 1 a stage failed, 2 the command or recipe is wrong."""
    try:
        app()
    except PendingError as error:
        print(error)
    except KitError as error:
        if os.environ.get("TINYGSM_KIT_DEBUG"):
            raise
        print(f"tinygsm-kit: {error}", file=sys.stderr)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt:
        print("\ntinygsm-kit: stopped; the same command goes on from here.", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if os.environ.get("TINYGSM_KIT_DEBUG"):
            raise
        print(f"tinygsm-kit: {error}", file=sys.stderr)
        sys.exit(1)


def _exit_code(error: Any) -> int:
    from tinygsm_kit.pipeline.runner import StageError

    return 1 if isinstance(error, StageError) else 2


if __name__ == "__main__":
    main()
