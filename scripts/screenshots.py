"""Pictures of the page, made in a real browser from a real server with a scripted responder."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.shots.past import lay_down  # noqa: E402
from scripts.shots.sheets import make_sheets  # noqa: E402
from scripts.shots.states import README, STATES, State  # noqa: E402
from scripts.shots.taking import VIEWS, View, open_context, take  # noqa: E402
from tests.browser import driving  # noqa: E402
from tests.browser.driving import CHROMIUM_ARGUMENTS, Server, chromium  # noqa: E402
from tests.frontends.serving import free_port  # noqa: E402


def main() -> None:
    """What the arguments ask for."""
    given = arguments()
    if given.readme:
        targets = {
            view: ROOT / "docs" / "screenshots" / f"chat-{view.scheme}.png" for view in VIEWS if view.is_wide
        }
        make(((README, view, target) for view, target in targets.items()))
        return
    states = [state for state in STATES if not given.only or state.name in given.only]
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        (state, view, folder / f"{state.name}-{view.name}.png")
        for view in VIEWS
        if not given.view or view.name in given.view
        for state in states
    ]
    make(made)
    make_sheets([target for _, _, target in made], folder)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make pictures of each state of the page.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "test-results" / "screenshots")
    parser.add_argument(
        "--only", action="append", choices=[state.name for state in STATES], help="this state"
    )
    parser.add_argument(
        "--view", action="append", choices=[view.name for view in VIEWS], help="this view alone"
    )
    parser.add_argument("--readme", action="store_true", help="the two of the README alone, in their place")
    return parser.parse_args()


def make(wanted: Iterable[tuple[State, View, Path]]) -> None:
    expect.set_options(timeout=60_000)  # pictures need no haste, and other work may be on the machine
    driving.START_SECONDS = 180.0
    with tempfile.TemporaryDirectory() as folder:
        lay_down(Path(folder) / "data")  # first: while Playwright is there its loop counts as running
        with sync_playwright() as playwright, Server(f"sqlite:{folder}/data", free_port()) as server:
            browser = playwright.chromium.launch(
                executable_path=chromium(),
                args=list(CHROMIUM_ARGUMENTS),
                ignore_default_args=["--hide-scrollbars"],
            )
            contexts = {view: open_context(browser, view) for view in VIEWS}
            for state, view, target in wanted:
                take(contexts[view], server, state, view, target)
                print(target, f"{target.stat().st_size // 1024} kB", flush=True)
            browser.close()


if __name__ == "__main__":
    main()
