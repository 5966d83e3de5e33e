"""The documentation builds without a warning, every link leads somewhere, and nothing is fetched from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

import neuroclass as nc
from neuroclass.config import PROJECT_DIR
from neuroclass.features import FEATURE_NAMES
from tests.docs.blocks import pages

_ELSEWHERE = re.compile(r"^([a-z]+:)?//|^mailto:|^data:")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_NOT_FETCHED = {"canonical", "next", "prev", "alternate"}


class Page(HTMLParser):
    """Links, ids and fetched addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {value for key in ("id", "name") if (value := found.get(key))}
        if tag == "a" and (href := found.get("href")):
            self.links.append(href)
        if tag in _FETCHED and found.get("rel") not in _NOT_FETCHED and (address := found.get(_FETCHED[tag])):
            self.fetched.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_link_and_anchor_leads_somewhere(site: Path, built: dict[Path, Page]) -> None:
    broken = []
    for path, page in built.items():
        for link in (*page.links, *page.fetched):
            if _ELSEWHERE.match(link) or path.name == "404.html":
                continue
            address, anchor = urldefrag(unquote(link))
            target = (path.parent / address).resolve() if address else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and target in built and anchor not in built[target].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert sum(len(page.links) for page in built.values()) > len(built)


def test_a_reader_fetches_nothing_from_elsewhere(site: Path, built: dict[Path, Page]) -> None:
    fetched = {address for page in built.values() for address in page.fetched if _ELSEWHERE.match(address)}
    styles = [
        address
        for path in site.rglob("*.css")
        for address in re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)", path.read_text("utf-8"))
    ]
    assert [address for address in fetched if not address.startswith("data:")] == []
    assert styles == []


def test_every_feature_has_its_section_and_equations_are_drawn(site: Path, built: dict[Path, Page]) -> None:
    assert set(FEATURE_NAMES) <= built[site / "features" / "index.html"].ids
    models = (site / "models" / "index.html").read_text(encoding="utf-8")
    assert models.count('display="block"') > 5
    assert "arithmatex" not in models


def test_every_public_name_is_described(site: Path, built: dict[Path, Page]) -> None:
    ids = built[site / "api" / "index.html"].ids
    assert [name for name in nc.__all__ if f"neuroclass.{name}" not in ids] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_checkout_lead_somewhere(page: str) -> None:
    links = [link for link in _LINK.findall((PROJECT_DIR / page).read_text(encoding="utf-8")) if "://" not in link]
    assert links
    assert [link for link in links if not (PROJECT_DIR / urldefrag(link)[0]).exists()] == []


def test_no_picture_is_left_over() -> None:
    texts = "".join((PROJECT_DIR / page).read_text(encoding="utf-8") for page in pages())
    pictures = [path.name for path in (PROJECT_DIR / "docs" / "screenshots").glob("*.png")]
    assert pictures
    assert [name for name in pictures if f"screenshots/{name}" not in texts] == []
