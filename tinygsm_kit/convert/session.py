"""What one remote conversion shares: the ledger, the run's account, the services; and how an event loop is run around it."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tinygsm_kit.convert.account import Account
from tinygsm_kit.convert.asking import Asker, Figures, Service, StoppedError
from tinygsm_kit.convert.chain import Chain
from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.convert.ledger_thread import LedgerThread
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.rows import RowConverter

T = TypeVar("T")
YOUNG_OBJECTS = 50_000
"""Objects made before the garbage collector looks. At Python's 700 it walks over the requests in flight again and again,
which took 6 % of the CPU with 64 in flight."""


@dataclass
class Session:
    """All that one remote conversion shares: services, ledger, account, figures."""

    chain: Chain
    host: HostOptions
    services: dict[int, Service]
    ledger: LedgerThread
    account: Account
    figures: Figures
    asker: Asker

    def rows(self) -> RowConverter:
        """Rows that get their answers from the services."""
        return RowConverter(self.chain, self.services, self.asker.ask, self.host.repair, self.figures)


@asynccontextmanager
async def session(chain: Chain, host: HostOptions, run: str, label: str) -> AsyncIterator[Session]:
    """Open the ledger and the run's account; settle and close them at the end, whatever happened."""
    converters = chain.converters()
    services = {
        index: Service(link, converter, host)
        for index, (link, converter) in enumerate(zip(chain.links, converters, strict=True))
        if link.remote
    }
    ledger = LedgerThread(ledger_path())
    try:
        ledger.ledger.begin_run(run, label)
        account, figures = Account(ledger, run, host.budget_usd), Figures()
        try:
            yield Session(chain, host, services, ledger, account, figures, Asker(account, host, figures))
        finally:
            await account.close()
            for service in services.values():
                await service.close()
    finally:
        ledger.close()


@contextmanager
def interruptible(asker: Asker) -> Iterator[None]:
    """Ctrl-C lets the requests in flight finish, so that none is paid for in vain; a second one does not wait."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        if asker.stopping.is_set() and task is not None:
            task.cancel()
        asker.stopping.set()

    main = threading.current_thread() is threading.main_thread()
    if main:
        with suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield
    except (StoppedError, asyncio.CancelledError):
        if asker.stopping.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        if main:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Let the garbage collector look less often."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], YOUNG_OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where the caller has an event loop already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(main())).result()


def run_id(folder: Path) -> str:
    """The name of this folder's account in the ledger: random, and kept in the folder, so that a moved run stays one run."""
    path = folder / ".run"
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        temporary.write_text(uuid.uuid4().hex, encoding="utf-8")
        temporary.replace(path)
    return path.read_text(encoding="utf-8").strip()


def spending(run: str) -> dict[str, Any]:
    """What a run asked, used and spent in all its sessions."""
    ledger = Ledger(ledger_path())
    try:
        spent = ledger.spent(run)
    finally:
        ledger.close()
    return {
        "requests": sum(spend.requests for spend in spent),
        "input_tokens": sum(spend.usage.input for spend in spent if spend.kind != "lost"),
        "output_tokens": sum(spend.usage.output for spend in spent if spend.kind != "lost"),
        "usd": round(sum(spend.usd for spend in spent), 6),
        "usd_unanswered": round(sum(spend.usd for spend in spent if spend.kind == "lost"), 6),
        "models": [{**asdict(spend), "run": run} for spend in spent],
    }
